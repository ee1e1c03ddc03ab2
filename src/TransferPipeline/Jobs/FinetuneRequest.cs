using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Images;
using TransferPipeline.Tuning;

namespace TransferPipeline.Jobs;

/// <summary>What a fine-tuning trains, and where its results go.</summary>
internal sealed record FinetuneRequest
{
    /// <summary>Split train is trained on, split validation is evaluated.</summary>
    public required Dataset Dataset { get; init; }

    /// <summary>The backbone to start from.</summary>
    public required ResolvedModel Model { get; init; }

    /// <summary>The ONNX file that is written; its manifest is written beside it.</summary>
    public required string File { get; init; }

    /// <summary>The classifier file that is written, or null.</summary>
    public string? Classifier { get; init; }

    /// <summary>How it is trained.</summary>
    public FinetuneOptions Options { get; init; } = new();

    /// <summary>Folder of cached activations and of the checkpoint; null for one beside <see cref="File"/>.</summary>
    public string? Cache { get; init; }

    /// <summary>Changes to the model's own preprocessing.</summary>
    public PreprocessingOverride? Preprocessing { get; init; }

    /// <summary>How photos are decoded.</summary>
    public DecodeOptions Decode { get; init; } = new();

    /// <summary>How activations are computed; its threads are those of the whole job.</summary>
    public ExtractionOptions Extraction { get; init; } = new();

    /// <summary>Called as training goes on.</summary>
    public Action<TuningProgress> Progress { get; init; } = static _ => { };

    /// <summary>Where activations, features and the checkpoint lie.</summary>
    public string CacheFolder => Cache ?? Path.ChangeExtension(Path.GetFullPath(File), ".cache");
}

/// <summary>What a fine-tuning would do.</summary>
/// <param name="Line">For people: what is trained.</param>
/// <param name="Cache">The set of cached activations.</param>
/// <param name="RowBytes">Of one activation in it.</param>
/// <param name="VectorBytes">Of one vector of the tuned backbone.</param>
internal sealed record TuningPlan(string Line, ExtractionSpec Cache, long RowBytes, long VectorBytes);

/// <summary>How a fine-tuning came out.</summary>
/// <param name="File">The tuned backbone.</param>
/// <param name="Sha256">Of the tuned backbone.</param>
/// <param name="Classifier">The classifier file, or null.</param>
/// <param name="Model">The backbone that it started from.</param>
/// <param name="Cut">The tensor above which it was trained.</param>
/// <param name="TrainedParameters">Weights of the backbone that were trained, without running statistics.</param>
/// <param name="TrainPhotos">Photos that were trained on.</param>
/// <param name="Frozen">The softmax head on the frozen backbone with which training started; null for a random head.</param>
/// <param name="Tuned">The tuned backbone with its head.</param>
/// <param name="PValue">McNemar's test of the two; null without the first.</param>
/// <param name="Kept">Which weights were kept, in words.</param>
/// <param name="History">One entry per epoch.</param>
/// <param name="WriteBackDifference">Largest difference of a score between ONNX Runtime and the training library, relative to the largest
/// score.</param>
/// <param name="Seconds">Wall time of the whole job.</param>
internal sealed record FinetuneResult(
    string File,
    string Sha256,
    string? Classifier,
    string Model,
    string Cut,
    long TrainedParameters,
    int TrainPhotos,
    FinetunedScore? Frozen,
    FinetunedScore Tuned,
    double? PValue,
    string Kept,
    IReadOnlyList<TuningEpoch> History,
    double WriteBackDifference,
    double Seconds
);

/// <summary>Accuracy on split validation.</summary>
/// <param name="Title">The head.</param>
/// <param name="Photos">That were evaluated.</param>
/// <param name="Low">Lower end of Wilson's 95 % interval.</param>
/// <param name="High">Upper end.</param>
internal sealed record FinetunedScore(string Title, int Photos, double Accuracy, double Low, double High);
