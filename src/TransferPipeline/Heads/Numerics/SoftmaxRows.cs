using System.Numerics.Tensors;

namespace TransferPipeline.Heads.Numerics;

/// <summary>Scores to probabilities.</summary>
internal static class SoftmaxRows
{
    /// <summary>
    /// Replaces each row of <paramref name="classes"/> scores by its softmax; the largest score is subtracted first, so that no exponential
    /// overflows.
    /// </summary>
    public static void Run(Span<float> scores, int classes)
    {
        for (var start = 0; start + classes <= scores.Length; start += classes)
        {
            var row = scores.Slice(start, classes);
            TensorPrimitives.Subtract(row, TensorPrimitives.Max<float>(row), row);
            TensorPrimitives.SoftMax(row, row);
        }
    }
}
