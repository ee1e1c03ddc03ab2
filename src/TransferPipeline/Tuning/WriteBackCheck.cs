using System.Globalization;
using TransferPipeline.Backbones;
using TransferPipeline.Extraction;
using TransferPipeline.Features;

namespace TransferPipeline.Tuning;

/// <summary>
/// Runs a written file in ONNX Runtime on photos, from their pixels on, and compares the scores with those of the library that trained it.
/// </summary>
internal static class WriteBackCheck
{
    /// <summary>Largest difference of a score, relative to the largest score where that is above 1.</summary>
    public const double Tolerance = 1e-4;

    /// <summary>Photos whose activations are in memory at a time.</summary>
    private const int Block = 32;

    /// <returns>The features of the photos by ONNX Runtime, and the largest difference of a score.</returns>
    /// <exception cref="JobFailedException">The scores differ by more than <see cref="Tolerance"/>.</exception>
    public static (FeatureMatrix Features, double Difference) Run(
        string file,
        CutModel written,
        DividedBackbone divided,
        ITunedPart part,
        ExtractionSpec spec,
        TuningPhotos photos,
        int threads,
        CancellationToken cancellation
    )
    {
        var (chosen, classes, values) = (photos.Reported, photos.Classes.Count, divided.Input.Values);
        var weights = part.Weights();
        var features = new FeatureMatrix(chosen.Length, divided.Dimension);
        var activations = new float[Math.Min(Block, chosen.Length) * values];
        var logits = new float[Block * classes];
        var (largest, top, worst) = (0.0, 1.0, 0);
        using var pass = new PhotoPass(spec, written, written.Layout, photos.Rows, threads);
        for (var first = 0; first < chosen.Length; first += Block)
        {
            var (start, count) = (first, Math.Min(Block, chosen.Length - first));
            var wanted = Enumerable.Range(start, count).Select(i => (chosen[i], 0)).ToList();
            pass.Run(
                wanted,
                (i, pixels, runner) =>
                {
                    (divided.TrainsAll ? pixels : runner!.Vectors(0).Row(0)).CopyTo(activations.AsSpan(i * values, values));
                    runner!.Vectors(written.Outputs.Count - 1).Row(0).CopyTo(features.Row(start + i));
                },
                cancellation
            );
            var labels = Enumerable.Range(start, count).Select(i => photos.Labels[chosen[i]]).ToArray();
            // Both sides get the same float32 activations: the rounding of cached float16 would hide an error.
            part.Evaluate(new TunedBatch([activations.AsMemory(0, count * values)], labels), logits.AsSpan(0, count * classes), []);
            for (var i = 0; i < count * classes; i++)
            {
                var (row, k) = (start + i / classes, i % classes);
                // The file has no head: the score is computed here, in float64, from the feature and the head.
                var score =
                    Score(features.Row(row), weights.HeadWeights.AsSpan(k * divided.Dimension, divided.Dimension)) + weights.HeadBias[k];
                var difference = Math.Abs(score - logits[i]);
                top = Math.Max(top, Math.Abs(score));
                // Negated, as below, so that NaN counts as a difference.
                if (!(difference <= largest))
                    (largest, worst) = (double.IsNaN(difference) ? double.PositiveInfinity : difference, row);
            }
        }

        if (!(largest / top <= Tolerance))
            throw new JobFailedException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{file}: not written: for {photos.Rows[chosen[Math.Min(worst, chosen.Length - 1)]].Path} ONNX Runtime "
                        + $"gives a score that "
                        + $"differs by {largest / top:0.0e+0} from the one of the training library, allowed are {Tolerance:0.0e+0}; "
                        + $"please report it with the model and the cut"
                )
            );
        return (features, largest / top);
    }

    private static double Score(ReadOnlySpan<float> feature, ReadOnlySpan<float> weights)
    {
        var sum = 0.0;
        for (var d = 0; d < feature.Length; d++)
            sum += (double)feature[d] * weights[d];
        return sum;
    }
}
