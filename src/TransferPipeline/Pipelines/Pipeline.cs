using TransferPipeline.Backbones;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Images;

namespace TransferPipeline.Pipelines;

/// <summary>A pipeline file: the photos, the backbones, the heads and what to make of them.</summary>
public sealed record Pipeline
{
    /// <summary>The YAML file; paths in it are relative to its folder.</summary>
    public required string File { get; init; }

    /// <summary>Names the output folder.</summary>
    public required string Name { get; init; }

    public string Description { get; init; } = "";

    public required DatasetOptions Data { get; init; }

    /// <summary>Names of the model store or ONNX files, at least one.</summary>
    public required IReadOnlyList<string> Models { get; init; }

    /// <summary>One feature set a model and cut.</summary>
    public required IReadOnlyList<CutRequest> Cuts { get; init; }

    public required PreprocessingOverride Preprocessing { get; init; }

    /// <summary>Random transforms of the cached views, in order.</summary>
    public required IReadOnlyList<StepRequest> Augment { get; init; }

    /// <summary>Augmented copies of each training photo; 0 without augmentation.</summary>
    public int Views { get; init; }

    public required ExtractSection Extract { get; init; }

    public required IReadOnlyList<HeadRequest> Heads { get; init; }

    public required EvaluationSection Evaluation { get; init; }

    /// <summary>Seeds views, folds and heads alike.</summary>
    public int Seed { get; init; }

    /// <summary>Print the table of layers with the cut before extraction.</summary>
    public bool Summary { get; init; }

    public FeaturesExportSection? FeaturesExport { get; init; }

    /// <summary>The classifier to write, or null.</summary>
    public ExportSection? Export { get; init; }

    /// <summary>File name of the HTML report in the output folder, or null.</summary>
    public string? Report { get; init; }

    /// <summary>File name of an HTML page that shows the evaluated photos with the exported classifier's predictions, or null.</summary>
    public string? Predictions { get; init; }
}

/// <summary>A named step with options as text: a head or an augmentation.</summary>
/// <param name="Options">Option names and values; lists are written <c>[a, b]</c>.</param>
/// <param name="Where">File and line, for messages.</param>
public sealed record StepRequest(string Name, IReadOnlyDictionary<string, string> Options, string Where);

/// <param name="Optional">Leave it out, with a warning, when its package is not in this build.</param>
public sealed record HeadRequest(StepRequest Step, bool Optional);

/// <summary>Fields of the model's preprocessing that the pipeline changes; null keeps the model's.</summary>
public sealed record PreprocessingOverride
{
    /// <summary>Short side, or width and height when two are given.</summary>
    public IReadOnlyList<int>? Resize { get; init; }

    public int? Crop { get; init; }

    public Interpolation? Interpolation { get; init; }

    public IReadOnlyList<double>? Mean { get; init; }

    public IReadOnlyList<double>? Std { get; init; }

    public double? Offset { get; init; }

    public double? Divisor { get; init; }

    public bool? Bgr { get; init; }

    /// <summary>The model's preprocessing with these changes.</summary>
    /// <exception cref="UsageException">An offset without a divisor, which would change nothing, or both forms of normalization.</exception>
    public Preprocessing Apply(Preprocessing model)
    {
        if ((Mean is not null || Std is not null) && (Offset is not null || Divisor is not null))
            throw new UsageException("preprocessing: give either mean and std, of (x / 255 - mean) / std, or offset and divisor, of (x - offset) / divisor");
        if (Offset is not null && (Divisor ?? model.Divisor) == 0)
            throw new UsageException("preprocessing: the offset of (x - offset) / divisor needs a divisor, which this model's own preprocessing has not");
        var result = model;
        if (Resize is [var shortSide])
            result = result with { ResizeShortSide = shortSide, ResizeWidth = 0, ResizeHeight = 0 };
        else if (Resize is [var height, var width])
            result = result with { ResizeShortSide = 0, ResizeHeight = height, ResizeWidth = width };
        if (Crop is { } crop)
            result = result with { CropWidth = crop, CropHeight = crop };
        return result with
        {
            Interpolation = Interpolation ?? result.Interpolation,
            Mean = Mean ?? result.Mean,
            Std = Std ?? result.Std,
            Offset = Offset ?? result.Offset,
            Divisor = Divisor ?? (Mean is null && Std is null ? result.Divisor : 0),
            Bgr = Bgr ?? result.Bgr,
        };
    }
}

public sealed record ExtractSection
{
    /// <summary><c>cpu</c>, <c>cuda</c>, <c>cuda:n</c>, <c>cuda:n,m</c>, <c>tensorrt</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary><c>fp32</c>, <c>tf32</c> or <c>fp16</c>; the last two on a GPU.</summary>
    public string Precision { get; init; } = "fp32";

    /// <summary>Photos in a batch on a GPU; 0 finds it by a trial.</summary>
    public int Batch { get; init; }

    /// <summary>Most gigabytes of a GPU's memory to use; 0 for no limit.</summary>
    public double DeviceMemory { get; init; }

    /// <summary><c>exhaustive</c>, <c>heuristic</c> or <c>default</c>: how cuDNN chooses convolutions.</summary>
    public string CudnnSearch { get; init; } = "exhaustive";

    /// <summary><c>auto</c>, <c>nhwc</c> or <c>nchw</c>: how tensors lie on the card.</summary>
    public string CudaLayout { get; init; } = "auto";

    /// <summary><c>auto</c>, <c>on</c> or <c>off</c>: convolutions add their bias themselves.</summary>
    public string CudaFusion { get; init; } = "auto";

    /// <summary>Launch a batch's kernels as one CUDA graph; for <c>cuda</c> only.</summary>
    public bool CudaGraphs { get; init; }

    /// <summary>Largest share of photos that may fail.</summary>
    public double MaxFailed { get; init; } = 0.05;

    /// <summary>Turn photos as EXIF says.</summary>
    public bool ExifTranspose { get; init; }
}

public sealed record EvaluationSection
{
    /// <summary><c>split</c> or <c>k-fold</c>.</summary>
    public string Protocol { get; init; } = "split";

    /// <summary>The split that is reported.</summary>
    public string On { get; init; } = Splits.Validation;

    public int Folds { get; init; } = 10;

    public int Repeats { get; init; } = 1;

    /// <summary>What chooses the values of sweeps: <c>inner-folds</c>, or <c>validation</c> when test is reported.</summary>
    public string ChooseBy { get; init; } = "inner-folds";

    /// <summary>Let heads that keep their best epoch watch the reported split, as the tutorials do; warned of.</summary>
    public bool WatchReportedSplit { get; init; }

    /// <summary>Keep near-duplicates in one fold.</summary>
    public bool GroupNearDuplicates { get; init; }

    /// <summary>Cosine of two vectors from which their photos count as near-duplicates.</summary>
    public double NearDuplicateCosine { get; init; } = ComparisonOptions.DefaultNearDuplicateCosine;

    /// <summary>Training photos a class of the few-shot curve; empty for none.</summary>
    public IReadOnlyList<int> FewShot { get; init; } = [];

    public int Draws { get; init; } = 5;

    /// <summary>Temperature scaling, with the calibration error before and after.</summary>
    public bool Calibrate { get; init; }

    /// <summary>Near-duplicates, suspect labels and outliers.</summary>
    public bool DataCheck { get; init; }
}

/// <param name="Format"><c>npy</c>, <c>csv</c> or <c>parquet</c>.</param>
public sealed record FeaturesExportSection(string Format, string Prefix);

/// <param name="Head">A head's name, or <c>best</c>.</param>
public sealed record ExportSection(string File, string Head);
