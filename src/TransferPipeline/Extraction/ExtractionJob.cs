using TransferPipeline.Backbones;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;

namespace TransferPipeline.Extraction;

/// <summary>What to extract, with what, and where to put it.</summary>
public sealed record ExtractionJob
{
    public required Dataset Dataset { get; init; }

    public required IImageDecoder Decoder { get; init; }

    public required IFeatureTable Table { get; init; }

    /// <summary>The backbone's name for people, such as <c>efficientnet-lite0</c>.</summary>
    public required string Model { get; init; }

    /// <summary>Lower-case hex SHA-256 of the backbone's file.</summary>
    public required string ModelSha256 { get; init; }

    /// <summary>Cuts the backbone at <see cref="Outputs"/>; called only when there is something to compute.</summary>
    public required Func<CutModel> OpenModel { get; init; }

    /// <summary>One feature set for each cut, all from one pass over the photos.</summary>
    public required IReadOnlyList<ExtractionOutput> Outputs { get; init; }

    public required Preprocessing Preprocessing { get; init; }

    public DecodeOptions Decode { get; init; } = new();

    /// <summary>Augmented copies of the training photos, or null.</summary>
    public ViewOptions? Views { get; init; }

    public DeviceOptions Device { get; init; } = new();

    /// <summary>The recipe of the set that output number <paramref name="output"/> makes.</summary>
    public Recipe RecipeOf(int output) => new()
    {
        Model = Model,
        ModelSha256 = ModelSha256,
        Cut = Outputs[output].Request.Cut,
        Pooling = Outputs[output].Request.Pooling.ToString(),
        Preprocessing = Preprocessing,
        Decoder = Decoder.Name,
        ExifTranspose = Decode.ExifTranspose,
        Views = Views?.Count ?? 0,
        Augmentation = Views is { Count: > 0 } ? Views.Description : "none",
        Provider = Device.Provider,
        Precision = Device.Precision,
    };
}

/// <summary>One cut and the folder of its feature set.</summary>
public sealed record ExtractionOutput(CutRequest Request, string Folder);

/// <summary>Augmented copies of training photos: view 0 is the photo as it is, views 1 to <see cref="Count"/> are copies.</summary>
public sealed record ViewOptions
{
    public required int Count { get; init; }

    /// <summary>All that determines the copies, in words: augmentations, parameters, seed. Part of the recipe.</summary>
    public required string Description { get; init; }

    /// <summary>Makes one worker's renderer, which may own scratch memory.</summary>
    public required Func<IViewRenderer> CreateRenderer { get; init; }
}

/// <summary>Makes a network's input of an augmented copy of a photo; not thread-safe.</summary>
public interface IViewRenderer
{
    /// <summary>Writes view number <paramref name="view"/> (1 or more); the result depends on the photo's SHA-256, the view and the seed alone.</summary>
    void Render(RgbImage photo, string imageSha256, int view, Span<float> destination, TensorLayout layout);

    /// <summary>The same view before normalization: height x width x 3 bytes, R G B.</summary>
    void RenderBytes(RgbImage photo, string imageSha256, int view, Span<byte> destination);
}

/// <summary>How to extract; none of this changes a vector.</summary>
public sealed record ExtractionOptions
{
    /// <summary>Threads that decode and infer.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>On a card, fewer than <see cref="Workers"/> threads decode where a trial at the start finds that they suffice.</summary>
    public bool FewerWorkers { get; init; }

    /// <summary>Photos in a batch on a card; 0 finds it by a trial at the start.</summary>
    public int Batch { get; init; }

    /// <summary>Read and hash every photo, even those that the file system says are unchanged.</summary>
    public bool Rehash { get; init; }

    /// <summary>Rows of a part file at most; 0 chooses by the vectors' length (<see cref="ExtractionSizes"/>).</summary>
    public int RowsPerPart { get; init; }

    /// <summary>A run fails at its end when more than this share of the photos could not be used.</summary>
    public double MaxFailedShare { get; init; } = 0.05;

    /// <summary>How long to wait for another run on the same folder; zero stops at once.</summary>
    public TimeSpan LockWait { get; init; }

    public Shard Shard { get; init; } = Shard.Whole;

    /// <summary>
    /// What happens when the folder's recipe differs: true makes another set in a folder beside it, named after the recipe; false is an error.
    /// Either way the first differing field is named.
    /// </summary>
    public bool NewSetBeside { get; init; } = true;

    /// <summary>Receives one-line messages: another recipe, waiting for a lock, parts that were damaged.</summary>
    public Action<string> Message { get; init; } = static _ => { };

    public IProgress<ExtractionProgress>? Progress { get; init; }
}

/// <summary>Where an extraction stands.</summary>
/// <param name="Done">Vectors done in this run, failed ones included.</param>
/// <param name="Total">Vectors to compute in this run.</param>
/// <param name="PerSecond">Vectors a second since the start.</param>
/// <param name="Left">Estimated time left.</param>
/// <param name="Shares">Shares of the workers' time, which sum to 1: read (with hash), decode, preprocess, infer; and the writer's time beside it.</param>
public sealed record ExtractionProgress(long Done, long Total, double PerSecond, TimeSpan Left, TimeShares Shares);

public readonly record struct TimeShares(double Read, double Decode, double Preprocess, double Infer, double Write);

/// <summary>How one feature set came out of a run.</summary>
/// <param name="Folder">The set's folder; not the one asked for when the recipe there was another.</param>
/// <param name="Computed">Vectors that were computed in this run.</param>
/// <param name="Reused">Vectors that were already there.</param>
/// <param name="Failed">Photos that cannot be used, earlier ones included.</param>
/// <param name="Removed">Vectors dropped, their photos being gone or changed.</param>
/// <param name="Seconds">Wall time of the whole run.</param>
/// <param name="Differences">In what the set in the folder asked for differs, when this one is another.</param>
public sealed record ExtractionResult(
    string Folder, int Dimension, int Computed, int Reused, int Failed, int Removed, double Seconds, IReadOnlyList<RecipeDifference> Differences)
{
    /// <summary>Wall time from the first photo's reading to the last commit; 0 when nothing was computed.</summary>
    public double ComputeSeconds { get; init; }

    /// <summary>Processor time of all threads in that time.</summary>
    public double ComputeProcessorSeconds { get; init; }
}
