using System.Globalization;

namespace TransferPipeline.Heads;

/// <summary>Weights of classes as scikit-learn's <c>class_weight</c>.</summary>
internal static class ClassWeights
{
    /// <summary>One weight a class from the option's text: <c>none</c>, <c>balanced</c> or <c>0:1,3:2.5</c>.</summary>
    /// <param name="counts">Training rows of each class.</param>
    public static float[] Parse(string head, string text, int[] counts)
    {
        var weights = new float[counts.Length];
        Array.Fill(weights, 1);
        if (text is "none" or "")
            return weights;
        if (text == "balanced")
        {
            var total = counts.Sum();
            for (var k = 0; k < counts.Length; k++)
                weights[k] = (float)((double)total / ((double)counts.Length * counts[k]));
            return weights;
        }

        foreach (var part in text.Split(','))
        {
            var pair = part.Split(':');
            if (pair.Length != 2
                || !int.TryParse(pair[0], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var index)
                || !float.TryParse(pair[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var weight)
                || index < 0 || index >= counts.Length || !(weight > 0) || !float.IsFinite(weight))
            {
                throw new UsageException(
                    $"{head}: class_weight is '{text}', expected none, balanced or pairs class:weight such as 0:1,3:2.5 with classes 0 to {counts.Length - 1} and weights greater than 0");
            }

            weights[index] = weight;
        }

        return weights;
    }
}
