using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

internal sealed partial class RidgeTrainer
{
    /// <summary>Only a standard scaling has to be learnt before rows can be used.</summary>
    public bool StreamsOnce(HeadOptions options) => Checked(options).Scaling != ScalingKind.Standard;

    /// <summary>One pass for the Gram matrix and the classes' sums, and one before it where a standard scaling has to be learnt.</summary>
    public IHead TrainStream(IRowStream stream, int classCount, HeadOptions options, TrainingContext context)
    {
        var ridge = Checked(options);
        var kind = ridge.Scaling;
        // Of the summary only the scaling and the counts are used, so its sample may be small.
        var summary = StreamsOnce(ridge) ? null : StreamSummary.Read(stream, classCount, kind, 1000, context);
        var scaling = summary?.Scaling ?? (kind == ScalingKind.L2 ? FeatureScaling.L2 : FeatureScaling.None);
        var classWeights = ClassWeights.Of(
            Name,
            ridge,
            summary?.Counts ?? StreamSummary.CountClasses(stream.Labels, classCount),
            stream.ClassNames
        );
        var uniform = Array.TrueForAll(classWeights, w => w == 1);
        int[] labels = [.. stream.Labels];
        var dimension = stream.Columns;
        var intercept = ridge.FitIntercept;
        double[]? shift = null;
        var gram = new double[(long)dimension * dimension];
        var (weights, sums) = (new double[classCount], new double[classCount][]);
        for (var k = 0; k < classCount; k++)
            sums[k] = new double[dimension];
        stream.Read(
            (block, first, count) =>
            {
                context.Cancellation.ThrowIfCancellationRequested();
                int[] numbers = [.. Enumerable.Range(0, count)];
                // Without a summary this is the first pass, and no value has been checked.
                if (summary is null)
                    TrainingCheck.Finite(block, numbers, i => stream.NameOf(first + i), context);
                using var rows =
                    kind == ScalingKind.None
                        ? RowSet.View(block, numbers, labels.AsSpan(first, count))
                        : RowSet.Copy(block, numbers, labels.AsSpan(first, count), scaling, context.Threads);
                var part = ClassSums.Of(rows, classCount, uniform ? null : classWeights, context.Threads, context.Cancellation);

                // The first block's mean is near enough to that of all rows: products around it keep their digits when the rest is moved.
                if (intercept)
                    shift ??= part.Mean();
                GramMatrix<double>.AddUpper(
                    rows,
                    shift,
                    uniform ? null : Array.ConvertAll(rows.Labels, k => classWeights[k]),
                    gram,
                    context.Threads,
                    context.Cancellation
                );
                for (var k = 0; k < classCount; k++)
                {
                    weights[k] += part.Weights[k];
                    for (var d = 0; d < dimension; d++)
                        sums[k][d] += part.Sums[k][d];
                }
            }
        );
        var total = new ClassSums(dimension, weights, sums);
        if (shift is not null)
            GramMatrix<double>.Move(gram, shift, total.Mean(), total.TotalWeight, context.Threads);
        GramMatrix<double>.Mirror(gram, dimension, context.Threads);
        return Solve(new RidgeByValues(total, intercept, gram), ridge, isLast: true, scaling, context);
    }
}
