using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TransferPipeline.Heads.Linear;

/// <summary>What losses of one class against the rest share.</summary>
internal static class OneVersusRest
{
    /// <summary>Factors of 16 outputs for rows of their own class and for the rest; 0 for padding (class -1).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static (Vector512<float> Positive, Vector512<float> Negative) Weights(LossWeights weights, Vector512<int> classes)
    {
        var (positive, negative) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (var j = 0; j < Vector512<int>.Count; j++)
        {
            if (classes[j] < 0)
                continue;
            positive = positive.WithElement(j, weights.Positive[classes[j]]);
            negative = negative.WithElement(j, weights.Negative[classes[j]]);
        }

        return (positive, negative);
    }
}
