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
        var logits = new double[probabilities.Length];
        for (var k = 0; k < ClassCount; k++)
            ScoreClass(classes[k], rows, logits.AsSpan(k));
        for (var i = 0; i < probabilities.Length; i += ClassCount)
            Normalize(logits.AsSpan(i, ClassCount), probabilities.Slice(i, ClassCount));
    }

    /// <summary>Shares of the classes' sigmoids.</summary>
    internal static void Normalize(ReadOnlySpan<double> logits, Span<float> probabilities)
    {
        for (var k = 0; k < logits.Length; k++)
            probabilities[k] = (float)(1 / (1 + Math.Exp(-logits[k])));
        var sum = TensorPrimitives.Sum<float>(probabilities);
        if (sum == 0)
        {
            // Every sigmoid is 0 in float32. So far below 0 they are exponentials, whose shares stay when all are raised by as much.
            var top = TensorPrimitives.Max(logits);
            for (var k = 0; k < logits.Length; k++)
                probabilities[k] = (float)Math.Exp(logits[k] - top);
            sum = TensorPrimitives.Sum<float>(probabilities);
        }

        TensorPrimitives.Divide(probabilities, sum, probabilities);
    }

    private void ScoreClass(CalibratedTrees trees, IDataView rows, Span<double> logits)
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
            logits[i] = -(trees.Platt.Slope * score + trees.Platt.Offset);
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
