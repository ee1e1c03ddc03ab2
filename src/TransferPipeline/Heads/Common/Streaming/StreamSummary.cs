namespace TransferPipeline.Heads.Common;

/// <summary>What the first pass over streamed rows finds: counts, scaling and an even sample.</summary>
internal sealed class StreamSummary
{
    // With blocks and the preconditioner's matrix, a streamed fit of 1,280 values then takes about
    // 450 MB (docs/heads.md).
    private const long SampleBytes = 96L << 20;

    private StreamSummary(int[] counts, FeatureScaling scaling, FeatureMatrix sample, int[] labels) =>
        (Counts, Scaling, Sample, SampleLabels) = (counts, scaling, sample, labels);

    /// <summary>Rows of each class.</summary>
    public int[] Counts { get; }

    public FeatureScaling Scaling { get; }

    /// <summary>Every n-th row, scaled.</summary>
    public FeatureMatrix Sample { get; }

    public int[] SampleLabels { get; }

    /// <summary>The most rows to sample: those of about 100 MB.</summary>
    public static int SampleRows(IRowStream stream, TrainingContext context) =>
        context.SampleRows ?? (int)Math.Clamp(SampleBytes / (4L * stream.Columns), 1000, int.MaxValue);

    /// <param name="sampleRows">The most rows to sample.</param>
    /// <exception cref="BadInputException">NaN or infinity, one class only, a class without rows.</exception>
    public static StreamSummary Read(IRowStream stream, int classCount, ScalingKind kind, int sampleRows, TrainingContext context)
    {
        var counts = CountClasses(stream.Labels, classCount);
        var total = stream.Labels.Count;
        var sample = new FeatureMatrix(Math.Min(total, sampleRows), stream.Columns);
        var labels = new int[sample.Rows];
        var moments = new ColumnMoments(stream.Columns);
        var taken = 0;
        stream.Read(
            (block, first, count) =>
            {
                context.Cancellation.ThrowIfCancellationRequested();
                int[] rows = [.. Enumerable.Range(0, count)];
                // In this pass only: later passes read the same vectors.
                TrainingCheck.Finite(block, rows, i => stream.NameOf(first + i), context);
                if (kind == ScalingKind.Standard)
                    moments.Add(block, rows, context.Threads);
                for (; taken < sample.Rows && Position(taken, total, sample.Rows) < first + count; taken++)
                {
                    var row = Position(taken, total, sample.Rows);
                    labels[taken] = stream.Labels[row];
                    block.Row(row - first).CopyTo(sample.Row(taken));
                }
            }
        );
        var scaling =
            kind == ScalingKind.Standard ? moments.ToScaling()
            : kind == ScalingKind.L2 ? FeatureScaling.L2
            : FeatureScaling.None;
        // After the pass: the moments of all rows are known only at its end.
        for (var i = 0; i < sample.Rows; i++)
            scaling.Apply(sample.Row(i), sample.Row(i));
        return new(counts, scaling, sample, labels);
    }

    /// <summary>Rows of each class.</summary>
    /// <exception cref="BadInputException">One class only, a class without rows.</exception>
    public static int[] CountClasses(IReadOnlyList<int> labels, int classCount)
    {
        var counts = new int[classCount];
        foreach (var label in labels)
            counts[label]++;
        TrainingCheck.Classes(counts);
        return counts;
    }

    // Evenly spaced rows: where a set is ordered by class, every class keeps its share of the sample.
    private static int Position(int index, int total, int wanted) => (int)((long)index * total / wanted);
}
