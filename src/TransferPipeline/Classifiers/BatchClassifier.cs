using TransferPipeline.Images;

namespace TransferPipeline.Classifiers;

/// <summary>Classifies a batch of photos on one thread; owns the buffers that this takes.</summary>
internal sealed class BatchClassifier(IImageDecoder decoder, Classifier classifier, int largest)
{
    private readonly Preprocessor _preprocessor = new(classifier.Info.Preprocessing);
    private readonly DecodeOptions _options = new() { ExifTranspose = classifier.Info.ExifTranspose };
    private readonly RgbImage _image = new();
    private readonly float[] _pixels = new float[largest * 3 * classifier.Info.InputHeight * classifier.Info.InputWidth];
    private byte[] _buffer = [];

    /// <summary>Predictions for <paramref name="count"/> photos from <paramref name="first"/> on, in order.</summary>
    public PhotoPrediction[] Predict(IReadOnlyList<IPhoto> photos, int first, int count, CancellationToken cancellation)
    {
        var predictions = new PhotoPrediction[count];
        var usable = new List<int>();
        for (var i = 0; i < count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            // Photos that can be used are packed from row 0 on, so that the network sees no rows of others.
            if (Prepare(photos[first + i], usable.Count) is { } failure)
                predictions[i] = new(photos[first + i], null, double.NaN, [], failure);
            else
                usable.Add(i);
        }

        if (usable.Count == 0)
            return predictions;
        var (probabilities, labels) = (classifier.Predict(_pixels, usable.Count), classifier.Info.Labels);
        for (var row = 0; row < usable.Count; row++)
        {
            var own = probabilities.AsSpan(row * labels.Count, labels.Count).ToArray();
            // The first of equal probabilities, as ArgMax in the file takes it.
            var best = Array.IndexOf(own, own.Max());
            predictions[usable[row]] = new(photos[first + usable[row]], labels[best], own[best], own, null);
        }

        return predictions;
    }

    /// <summary>Writes the photo's pixels into a row of the batch; the reason when it cannot be used.</summary>
    private string? Prepare(IPhoto photo, int row)
    {
        var size = _pixels.Length / largest;
        try
        {
            decoder.Decode(photo.Read(ref _buffer), _options, _image, _preprocessor);
            _preprocessor.Run(_image, _pixels.AsSpan(row * size, size), classifier.Info.Layout);
            return null;
        }
        catch (Exception e) when (e is ImageDecodeException or IOException or UnauthorizedAccessException)
        {
            // A photo that cannot be used must not end the batch: it has its reason, the others have predictions.
            return e is ImageDecodeException ? e.Message : "cannot be read: " + e.Message;
        }
    }
}
