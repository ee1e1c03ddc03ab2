using System.Globalization;
using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Images;
using TransferPipeline.Quantization;

namespace TransferPipeline.Jobs;

/// <summary>Quantizes a backbone on the training photos of a dataset.</summary>
internal sealed class BackboneQuantizer(Toolbox tools, QuantizationOptions options, int threads, Action<string> message)
{
    /// <summary>Raised when the same recipe gives another file.</summary>
    private const string Version = "1";

    private const string Source = "source",
        Photos = "photos",
        PhotosSha256 = "photos_sha256";

    /// <summary>Decoding of the photos.</summary>
    public DecodeOptions Decode { get; init; } = new();

    /// <summary>Changes to the model's own preprocessing.</summary>
    public PreprocessingOverride? Preprocessing { get; init; }

    /// <summary>The photos that ranges are measured on, and their hashes.</summary>
    public CalibrationSet Choose(ResolvedModel model, Dataset dataset) =>
        CalibrationSet.Choose(Specify(model, dataset), options.Photos, threads);

    /// <summary>Whether a quantized file was made of this model as this quantizer would, be it on other photos.</summary>
    /// <param name="recipe">What the file states of its making.</param>
    public bool IsMadeOf(IReadOnlyDictionary<string, string> recipe, ResolvedModel model, Dataset dataset) =>
        RecipeOf(model, new(Specify(model, dataset), [], []))
            .All(own => own.Key is Source or Photos or PhotosSha256 || recipe.GetValueOrDefault(own.Key) == own.Value);

    /// <exception cref="UsageException">The model cannot be quantized; the message states why.</exception>
    public QuantizedBackbone Quantize(ResolvedModel model, CalibrationSet photos, CancellationToken cancellation)
    {
        var size = photos.Spec.Preprocessing;
        var network = FloatNetwork.Prepare(model.File, new PhotoSize(size.OutputHeight, size.OutputWidth), model.Manifest?.Cut ?? "");
        var quantized = Quantizer.Run(network, photos.AsPixels(network.Input.Layout), options, threads, message, cancellation);
        return new(
            model with
            {
                Preprocessing = photos.Spec.Preprocessing,
                Backbone = model.Backbone ?? Backbone.Open(model.File, new PhotoSize(size.OutputHeight, size.OutputWidth)),
            },
            quantized,
            RecipeOf(model, photos)
        );
    }

    /// <summary>All that determines the quantized file, by name.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> RecipeOf(ResolvedModel model, CalibrationSet photos) =>
        [
            // First: the key of a stored backbone is made of the others, since a name determines no byte.
            new(Source, model.Name),
            new("source_sha256", model.Sha256),
            new("options", options.Describe()),
            new(Photos, photos.Entries.Count.ToString(CultureInfo.InvariantCulture)),
            new(PhotosSha256, QuantizedBackbone.HashOf(photos.Sha256s)),
            new("preprocessing", AssumedPreprocessing.Describe(photos.Spec.Preprocessing)),
            new("decoder", photos.Spec.Decoder.Name),
            new("version", Version),
        ];

    private ExtractionSpec Specify(ResolvedModel model, Dataset dataset) =>
        tools.Specify(dataset, model, [new(CutRequest.Default, "")], Preprocessing) with
        {
            Decode = Decode,
        };
}
