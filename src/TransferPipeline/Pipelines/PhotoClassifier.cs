using TransferPipeline.Datasets;
using TransferPipeline.Export;
using TransferPipeline.Images;
using TransferPipeline.Reports;

namespace TransferPipeline.Pipelines;

/// <summary>A photo to classify: its name for people and its encoded bytes.</summary>
public interface IPhoto
{
    string Name { get; }

    /// <exception cref="IOException">It cannot be read.</exception>
    ReadOnlySpan<byte> Read(ref byte[] buffer);
}

/// <summary>A file on disk.</summary>
public sealed record PhotoFile(string Name) : IPhoto
{
    public ReadOnlySpan<byte> Read(ref byte[] buffer) => File.ReadAllBytes(Name);
}

/// <summary>A photo of a dataset, which may lie in an archive.</summary>
public sealed record PhotoOfDataset(Dataset Dataset, int Index) : IPhoto
{
    public string Name => Dataset.Entries[Index].Path;

    public ReadOnlySpan<byte> Read(ref byte[] buffer)
    {
        var length = Dataset.Read(Index, ref buffer);
        return buffer.AsSpan(0, length);
    }
}

/// <summary>What a classifier says of one photo.</summary>
/// <param name="Probabilities">One a class; empty when the photo could not be used.</param>
/// <param name="Failure">The reason why the photo could not be used, or null.</param>
public sealed record PhotoPrediction(IPhoto Photo, string? Label, double Probability, float[] Probabilities, string? Failure)
{
    /// <summary>The most probable classes, best first.</summary>
    public IEnumerable<(string Label, double Probability)> Top(IReadOnlyList<string> labels, int count) =>
        Probabilities.Select((p, i) => (Label: labels[i], Probability: (double)p)).OrderByDescending(t => t.Probability).Take(count);

    /// <summary>As the predictions page shows it.</summary>
    public PredictedPhoto ToPage(IReadOnlyList<string> labels, string? trueLabel) =>
        new(Photo.Name, trueLabel, [.. Top(labels, 5).Select(t => new ClassProbability(t.Label, t.Probability))]);
}

/// <summary>Classifies photos: decode, preprocess and run, in batches.</summary>
public sealed class PhotoClassifier(IImageDecoder decoder, Classifier classifier)
{
    private const int Batch = 8;

    /// <summary>One prediction a photo, in the same order; a photo that cannot be used has its reason.</summary>
    public IReadOnlyList<PhotoPrediction> Predict(IReadOnlyList<IPhoto> photos, CancellationToken cancellation = default)
    {
        var info = classifier.Info;
        var preprocessor = new Preprocessor(info.Preprocessing);
        var (image, buffer) = (new RgbImage(), Array.Empty<byte>());
        var options = new DecodeOptions { ExifTranspose = info.ExifTranspose };
        var perPhoto = 3 * info.InputHeight * info.InputWidth;
        var predictions = new PhotoPrediction[photos.Count];
        var pixels = new float[Batch * perPhoto];
        var waiting = new List<int>();
        for (var i = 0; i < photos.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                decoder.Decode(photos[i].Read(ref buffer), options, image, preprocessor);
                preprocessor.Run(image, pixels.AsSpan(waiting.Count * perPhoto, perPhoto), info.Layout);
                waiting.Add(i);
            }
            catch (Exception e) when (e is ImageDecodeException or IOException or UnauthorizedAccessException)
            {
                predictions[i] = new(photos[i], null, double.NaN, [], e is ImageDecodeException ? e.Message : "cannot be read: " + e.Message);
            }

            if (waiting.Count == Batch)
                Flush();
        }

        if (waiting.Count > 0)
            Flush();
        return predictions;

        void Flush()
        {
            var probabilities = classifier.Predict(pixels, waiting.Count);
            var classes = info.Labels.Count;
            for (var w = 0; w < waiting.Count; w++)
            {
                var row = probabilities.AsSpan(w * classes, classes).ToArray();
                var best = Array.IndexOf(row, row.Max());
                predictions[waiting[w]] = new(photos[waiting[w]], info.Labels[best], row[best], row, null);
            }

            waiting.Clear();
        }
    }
}
