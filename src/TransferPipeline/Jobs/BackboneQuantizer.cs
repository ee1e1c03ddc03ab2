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

    /// <summary>Decoding of the photos.</summary>
    public DecodeOptions Decode { get; init; } = new();

    /// <summary>Changes to the model's own preprocessing.</summary>
    public PreprocessingOverride? Preprocessing { get; init; }

    /// <summary>The photos that ranges are measured on, and their hashes.</summary>
    public CalibrationSet Choose(ResolvedModel model, Dataset dataset)
    {
        var spec = tools.Specify(dataset, model, [new(CutRequest.Default, "")], Preprocessing) with { Decode = Decode };
        return CalibrationSet.Choose(spec, options.Photos, threads);
    }

    /// <exception cref="UsageException">The model cannot be quantized; the message says why.</exception>
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
            new("source", model.Name),
            new(QuantizedBackbone.SourceSha256, model.Sha256),
            new(QuantizedBackbone.Options, options.Describe()),
            new("photos", photos.Entries.Count.ToString(CultureInfo.InvariantCulture)),
            new("photos_sha256", QuantizedBackbone.HashOf(photos.Sha256s)),
            new("preprocessing", AssumedPreprocessing.Describe(photos.Spec.Preprocessing)),
            new("decoder", photos.Spec.Decoder.Name),
            new("version", Version),
        ];
}
