using System.Numerics.Tensors;
using Microsoft.ML;
using TransferPipeline.Heads.Common;
using TransferPipeline.Onnx;

namespace TransferPipeline.MicrosoftML;

/// <summary>Tree ensembles that ML.NET itself evaluates; scores are the normalized probabilities.</summary>
internal sealed class TreeHead(string name, int dimension, CalibratedTrees[] classes, HeadOptions options) : IHead
{
    private const int RowBlock = 256;

    public string Name => name;

    public int ClassCount => classes.Length;

    public int Dimension => dimension;

    public long ParameterCount { get; } = classes.Sum(c => c.Values);

    public HeadOptions Options => options;

    public FitReport Fit { get; } = new();

    public string NotExportable => $"{name} keeps its trees in ML.NET's own form, which classifier.onnx cannot hold; forest exports";

    public void Score(FeatureMatrix x, ReadOnlySpan<int> rows, Span<float> scores, int threads = 1)
    {
        if (x.Columns != dimension)
            throw new UsageException($"{name} was trained on vectors of length {dimension}, these have {x.Columns}");
        var (chosen, results) = (rows.ToArray(), new float[rows.Length * ClassCount]);
        Blocks.For(chosen.Length, RowBlock, threads, (_, start, end) =>
        {
            var view = RowView.Unlabelled(x, chosen[start..end], FeatureScaling.None);
            for (var k = 0; k < ClassCount; k++)
                ScoreClass(classes[k], view, results.AsSpan(start * ClassCount + k));
            for (var i = start; i < end; i++)
            {
                var row = results.AsSpan(i * ClassCount, ClassCount);
                TensorPrimitives.Divide(row, Math.Max(TensorPrimitives.Sum<float>(row), float.Epsilon), row);
            }
        });
        results.CopyTo(scores);
    }

    /// <summary>Scores are probabilities already.</summary>
    public void ToProbabilities(Span<float> scores)
    {
    }

    public string Export(IGraphWriter graph, string features) => throw new UsageException(NotExportable);

    private void ScoreClass(CalibratedTrees trees, RowView view, Span<float> probabilities)
    {
        var scored = trees.Scorer.Transform(view);
        var column = scored.Schema["Score"];
        using var cursor = scored.GetRowCursor([column]);
        var read = cursor.GetGetter<float>(column);
        var score = 0f;
        for (var i = 0; cursor.MoveNext(); i += ClassCount)
        {
            read(ref score);
            probabilities[i] = (float)(1 / (1 + Math.Exp(trees.Platt.Slope * score + trees.Platt.Offset)));
        }
    }
}
