using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>What a head predicted for some photos; in repeated k-fold a photo occurs once per repeat.</summary>
/// <param name="Photos">Row of the feature data, for each prediction.</param>
/// <param name="Truth">Its class.</param>
/// <param name="Predicted">The first class with the largest score.</param>
/// <param name="Probabilities">Photos.Length x ClassCount, row-major.</param>
internal sealed record Predictions(int ClassCount, int[] Photos, int[] Truth, int[] Predicted, float[] Probabilities)
{
    public int Count => Photos.Length;

    public double Accuracy => Count == 0 ? double.NaN : (double)CorrectCount / Count;

    public int CorrectCount => Truth.Zip(Predicted).Count(static pair => pair.First == pair.Second);

    public static Predictions Of(IHead head, FeatureMatrix x, int[] y, int[] rows, int threads)
    {
        var probabilities = new float[rows.Length * head.ClassCount];
        head.Score(x, rows, probabilities, threads);
        var predicted = new int[rows.Length];
        // Before scores become probabilities:
        // in float32 several can round to the same one, and the first of them would win.
        for (var i = 0; i < rows.Length; i++)
            predicted[i] = ArgMax(probabilities.AsSpan(i * head.ClassCount, head.ClassCount));
        head.ToProbabilities(probabilities);
        return new(head.ClassCount, rows, Array.ConvertAll(rows, r => y[r]), predicted, probabilities);
    }

    public static Predictions Concat(IReadOnlyList<Predictions> parts) =>
        new(
            parts[0].ClassCount,
            [.. parts.SelectMany(p => p.Photos)],
            [.. parts.SelectMany(p => p.Truth)],
            [.. parts.SelectMany(p => p.Predicted)],
            [.. parts.SelectMany(p => p.Probabilities)]
        );

    /// <summary>The predictions at the given positions.</summary>
    public Predictions Select(IReadOnlyList<int> positions)
    {
        var probabilities = new float[positions.Count * ClassCount];
        for (var i = 0; i < positions.Count; i++)
            Row(positions[i]).CopyTo(probabilities.AsSpan(i * ClassCount));
        return new(
            ClassCount,
            [.. positions.Select(p => Photos[p])],
            [.. positions.Select(p => Truth[p])],
            [.. positions.Select(p => Predicted[p])],
            probabilities
        );
    }

    public ReadOnlySpan<float> Row(int position) => Probabilities.AsSpan(position * ClassCount, ClassCount);

    /// <summary>Index of the first largest value.</summary>
    public static int ArgMax(ReadOnlySpan<float> values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++)
        {
            if (values[i] > values[best])
                best = i;
        }

        return best;
    }
}
