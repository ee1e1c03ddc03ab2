using TransferPipeline.Backbones;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Platform;

namespace TransferPipeline.Extraction;

/// <summary>What to extract: all that determines the vectors, from which the recipes follow, and where they go.</summary>
internal sealed record ExtractionSpec
{
    public required Dataset Dataset { get; init; }

    public required IImageDecoder Decoder { get; init; }

    public required IFeatureTable Table { get; init; }

    /// <summary>The backbone's name for people, such as <c>efficientnet-lite0</c>.</summary>
    public required string Model { get; init; }

    /// <summary>Lower-case hex SHA-256 of the backbone's file.</summary>
    public required string ModelSha256 { get; init; }

    /// <summary>What users should know of the model's cuts, one line each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Cuts the backbone at <see cref="Outputs"/>; called only when there is something to compute.</summary>
    public required Func<CutModel> OpenModel { get; init; }

    /// <summary>One feature set for each cut, all from one pass over the photos.</summary>
    public required IReadOnlyList<ExtractionOutput> Outputs { get; init; }

    public required Preprocessing Preprocessing { get; init; }

    public DecodeOptions Decode { get; init; } = new();

    /// <summary>Augmented copies of the training photos, or null.</summary>
    public ViewOptions? Views { get; init; }

    /// <summary>
    /// Where the backbone runs. It stands here as provider and precision are part of the recipe and the others may change last bits.
    /// </summary>
    public DeviceOptions Device { get; init; } = new();

    /// <summary>The recipe of the set that output number <paramref name="output"/> makes.</summary>
    public Recipe RecipeOf(int output) =>
        new()
        {
            Model = Model,
            ModelSha256 = ModelSha256,
            Cut = Outputs[output].Request.Cut,
            Pooling = Outputs[output].Request.Pooling.ToString(),
            Preprocessing = Preprocessing,
            Decoder = Decoder.Name,
            ExifTranspose = Decode.ExifTranspose,
            Views = Views?.Count ?? 0,
            // Steps that make no view must not make another recipe.
            Augmentation = Views is { Count: > 0 } ? Views.Description : "none",
            Provider = DeviceOptions.Name(Device.Provider),
            Precision = DeviceOptions.Name(Device.Precision),
        };
}

/// <summary>One cut and the folder of its feature set.</summary>
internal sealed record ExtractionOutput(CutRequest Request, string Folder)
{
    /// <summary>Folder of the set of one cut below a folder for all: the model's name, and what differs from the default cut.</summary>
    /// <param name="model">The backbone's name.</param>
    public static ExtractionOutput Below(string folder, string model, CutRequest cut)
    {
        var name = cut == CutRequest.Default ? model : $"{model}-{cut.Cut}{(cut.Pooling == Pooling.None ? "" : "-" + cut.Pooling)}";
        return new(cut, Path.Combine(folder, FileNames.Of(name)));
    }
}

/// <summary>Augmented copies of training photos: view 0 is the photo as it is, views 1 to <see cref="Count"/> are copies.</summary>
internal sealed record ViewOptions
{
    public required int Count { get; init; }

    /// <summary>All that determines the copies, in words: augmentations, parameters, seed. Part of the recipe.</summary>
    public required string Description { get; init; }

    /// <summary>Makes one worker's renderer, which may own scratch memory.</summary>
    public required Func<IViewRenderer> CreateRenderer { get; init; }
}

/// <summary>Makes a network's input of an augmented copy of a photo; not thread-safe.</summary>
internal interface IViewRenderer
{
    /// <summary>
    /// Writes view number <paramref name="view"/> (1 or more); the result depends on the photo's SHA-256, the view and the seed alone.
    /// </summary>
    void Render(RgbImage photo, string imageSha256, int view, Span<float> destination, TensorLayout layout);

    /// <summary>The same view before normalization: height x width x 3 bytes, R G B.</summary>
    void RenderBytes(RgbImage photo, string imageSha256, int view, Span<byte> destination);
}
