using System.Numerics.Tensors;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace TransferPipeline.MicrosoftML;

/// <summary>Trained trees of ML.NET for K classes.</summary>
internal interface ITreeModel
{
    int ClassCount { get; }

    /// <summary>Number of splits and leaves.</summary>
    long Values { get; }

    /// <param name="probabilities">Rows x K, each row with sum 1.</param>
    void Score(IDataView rows, Span<float> probabilities);
}

/// <summary>One ensemble per class, with probabilities normalized as ML.NET's OneVersusAll does.</summary>
internal sealed class OneAgainstAllTrees(CalibratedTrees[] classes) : ITreeModel
{
    public int ClassCount => classes.Length;

    public long Values { get; } = classes.Sum(c => c.Values);

    public void Score(IDataView rows, Span<float> probabilities)
    {
        for (var k = 0; k < ClassCount; k++)
            ScoreClass(classes[k], rows, probabilities[k..]);
        for (var i = 0; i < probabilities.Length; i += ClassCount)
        {
            var row = probabilities.Slice(i, ClassCount);
            // Where every sigmoid is 0 in float32, the row must not become NaN.
            TensorPrimitives.Divide(row, Math.Max(TensorPrimitives.Sum<float>(row), float.Epsilon), row);
        }
    }

    private void ScoreClass(CalibratedTrees trees, IDataView rows, Span<float> probabilities)
    {
        var scored = trees.Scorer.Transform(rows);
        var column = scored.Schema["Score"];
        using var cursor = scored.GetRowCursor([column]);
        var read = cursor.GetGetter<float>(column);
        var score = 0f;
        for (var i = 0; cursor.MoveNext(); i += ClassCount)
        {
            read(ref score);
            // The calibrator's formula, applied here: only the column Score is read from ML.NET.
            probabilities[i] = (float)(1 / (1 + Math.Exp(trees.Platt.Slope * score + trees.Platt.Offset)));
        }
    }
}

/// <summary>One model of all classes whose column Score has their softmax.</summary>
internal sealed class SoftmaxTrees(ITransformer scorer, int classCount, long values) : ITreeModel
{
    public int ClassCount => classCount;

    public long Values => values;

    public void Score(IDataView rows, Span<float> probabilities)
    {
        var scored = scorer.Transform(rows);
        var column = scored.Schema["Score"];
        using var cursor = scored.GetRowCursor([column]);
        var read = cursor.GetGetter<VBuffer<float>>(column);
        VBuffer<float> scores = default;
        for (var i = 0; cursor.MoveNext(); i += classCount)
        {
            read(ref scores);
            scores.CopyTo(probabilities.Slice(i, classCount));
        }
    }
}
