using TransferPipeline.Heads.Common;
using TransferPipeline.Onnx;

namespace TransferPipeline.MicrosoftML;

/// <summary>Tree ensembles that ML.NET itself evaluates; scores are the normalized probabilities.</summary>
internal sealed class TreeHead(string name, int dimension, ITreeModel trees, HeadOptions options, string notExportable) : IHead
{
    private const int RowBlock = 256;

    public string Name => name;

    public int ClassCount => trees.ClassCount;

    public int Dimension => dimension;

    public long ParameterCount => trees.Values;

    public HeadOptions Options => options;

    public FitReport Fit { get; } = new();

    public string NotExportable => notExportable;

    public void Score(FeatureMatrix x, ReadOnlySpan<int> rows, Span<float> scores, int threads = 1)
    {
        if (x.Columns != dimension)
            throw new UsageException($"{name} was trained on vectors of length {dimension}, these have {x.Columns}");
        var (chosen, results) = (rows.ToArray(), new float[rows.Length * ClassCount]);
        Blocks.For(
            chosen.Length,
            RowBlock,
            threads,
            (_, start, end) =>
            {
                // ML.NET would take NaN for a missing value and give a class.
                foreach (var row in chosen.AsSpan(start..end))
                    TrainingCheck.Numbers(x, row);
                var view = RowView.Unlabelled(x, chosen[start..end], FeatureScaling.None);
                trees.Score(view, results.AsSpan(start * ClassCount, (end - start) * ClassCount));
            }
        );
        results.CopyTo(scores);
    }

    /// <summary>Scores are probabilities already.</summary>
    public void ToProbabilities(Span<float> scores) { }

    public string Export(IGraphWriter graph, string features) => throw new UsageException(notExportable);
}
