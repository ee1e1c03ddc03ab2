using TransferPipeline.Heads.Common;
using TransferPipeline.Onnx;

namespace TransferPipeline.Heads;

/// <summary>Trees; a class's score is the mean of its shares in the leaves that a vector reaches.</summary>
internal sealed class ForestHead(Tree[] trees, int dimension, int classCount, HeadOptions options) : IHead
{
    private const int RowBlock = 64;

    public string Name => "forest";

    public int ClassCount => classCount;

    public int Dimension => dimension;

    /// <summary>A column and a threshold for each division, and the shares in the leaves.</summary>
    public long ParameterCount { get; } = trees.Sum(t => 2L * t.Feature.Count(f => f >= 0) + t.Shares.Length);

    public HeadOptions Options => options;

    public FitReport Fit { get; } = new() { Iterations = trees.Length };

    public string? NotExportable => null;

    internal IReadOnlyList<Tree> Trees => trees;

    public void Score(FeatureMatrix x, ReadOnlySpan<int> rows, Span<float> scores, int threads = 1)
    {
        if (x.Columns != dimension)
            Throw.Usage($"{Name} was trained on vectors of length {dimension}, these have {x.Columns}");
        // Lambdas cannot capture spans: rows and sums are arrays, and the caller's scores are a copy.
        var (queries, sums) = (rows.ToArray(), new float[scores.Length]);
        Blocks.For(
            queries.Length,
            RowBlock,
            threads,
            (_, start, end) =>
            {
                // No comparison with NaN holds: every tree would still name a class.
                for (var i = start; i < end; i++)
                    TrainingCheck.Numbers(x, queries[i]);
                // Tree by tree: its nodes stay in the cache while the block's rows pass.
                foreach (var tree in trees)
                {
                    for (var i = start; i < end; i++)
                        tree.AddShares(x.Row(queries[i]), sums.AsSpan(i * classCount, classCount));
                }

                for (var i = start * classCount; i < end * classCount; i++)
                    sums[i] /= trees.Length;
            }
        );
        sums.CopyTo(scores);
    }

    /// <summary>The scores are mean shares already.</summary>
    public void ToProbabilities(Span<float> scores) { }

    public string Export(IGraphWriter graph, string features) => ForestExport.Write(graph, features, trees, classCount);
}
