using TransferPipeline.Classifiers;

namespace TransferPipeline.Jobs;

/// <summary>A classifier file that is open for predictions.</summary>
public sealed class OpenedClassifier : IDisposable
{
    private readonly Classifier _classifier;
    private readonly PhotoClassifier _photos;

    internal OpenedClassifier(Toolbox tools, Classifier classifier)
    {
        _classifier = classifier;
        // The pixels that the head was trained on, where a decoder here gives them; others move the vectors.
        var decoder = tools.DecoderOf(classifier.Info.Recipe.GetValueOrDefault("decoder", "")) ?? tools.Decoder;
        _photos = new(decoder, classifier);
    }

    /// <summary>Class names, in the order of probabilities.</summary>
    public IReadOnlyList<string> Labels => _classifier.Info.Labels;

    /// <summary>Classifies one photo.</summary>
    /// <returns>The prediction; its <see cref="PhotoPrediction.Failure"/> states why a photo cannot be used.</returns>
    public PhotoPrediction Predict(string photo) => _photos.Predict([new PhotoFile(photo)]).Single();

    /// <summary>Classifies photos in batches on several threads, in order; results come as soon as they are there.</summary>
    public IEnumerable<PhotoPrediction> Predict(
        IReadOnlyList<string> photos,
        int? threads = null,
        CancellationToken cancellation = default
    ) => _photos.Predict([.. photos.Select(photo => new PhotoFile(photo))], threads ?? Environment.ProcessorCount, cancellation);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _classifier.Dispose();
}
