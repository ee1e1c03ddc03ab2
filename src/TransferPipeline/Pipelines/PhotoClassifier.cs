using TransferPipeline.Export;
using TransferPipeline.Images;

namespace TransferPipeline.Pipelines;

/// <summary>What a classifier says of one photo.</summary>
/// <param name="Probabilities">One a class; empty when the photo could not be used.</param>
/// <param name="Failure">The reason why the photo could not be used, or null.</param>
public sealed record PhotoPrediction(string File, string? Label, double Probability, float[] Probabilities, string? Failure)
{
    /// <summary>The most probable classes, best first.</summary>
    public IEnumerable<(string Label, double Probability)> Top(IReadOnlyList<string> labels, int count) =>
        Probabilities.Select((p, i) => (labels[i], (double)p)).OrderByDescending(t => t.Item2).Take(count);
}

/// <summary>Classifies photo files: decode, preprocess and run, in batches.</summary>
public sealed class PhotoClassifier(IImageDecoder decoder, Classifier classifier)
{
    private const int Batch = 8;

    /// <summary>One prediction a file, in the same order; a photo that cannot be used has its reason.</summary>
    public IReadOnlyList<PhotoPrediction> Predict(IReadOnlyList<string> files, CancellationToken cancellation = default)
    {
        var info = classifier.Info;
        var preprocessor = new Preprocessor(info.Preprocessing);
        var photo = new RgbImage();
        var options = new DecodeOptions { ExifTranspose = info.ExifTranspose };
        var perPhoto = 3 * info.InputHeight * info.InputWidth;
        var predictions = new PhotoPrediction[files.Count];
        var pixels = new float[Batch * perPhoto];
        var waiting = new List<int>();
        for (var i = 0; i < files.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                decoder.Decode(File.ReadAllBytes(files[i]), options, photo);
                preprocessor.Run(photo, pixels.AsSpan(waiting.Count * perPhoto, perPhoto), info.Layout);
                waiting.Add(i);
            }
            catch (Exception e) when (e is ImageDecodeException or IOException or UnauthorizedAccessException)
            {
                predictions[i] = new(files[i], null, double.NaN, [], e is ImageDecodeException ? e.Message : "cannot be read: " + e.Message);
            }

            if (waiting.Count == Batch || (i == files.Count - 1 && waiting.Count > 0))
                Flush();
        }

        return predictions;

        void Flush()
        {
            var probabilities = classifier.Predict(pixels, waiting.Count);
            var classes = info.Labels.Count;
            for (var w = 0; w < waiting.Count; w++)
            {
                var row = probabilities.AsSpan(w * classes, classes).ToArray();
                var best = Array.IndexOf(row, row.Max());
                predictions[waiting[w]] = new(files[waiting[w]], info.Labels[best], row[best], row, null);
            }

            waiting.Clear();
        }
    }
}
