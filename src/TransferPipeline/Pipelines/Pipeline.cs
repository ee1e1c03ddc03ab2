using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Jobs;
using TransferPipeline.Quantization;
using TransferPipeline.Tuning;

namespace TransferPipeline.Pipelines;

/// <summary>A pipeline file: the photos, the backbones, the heads and what to make of them.</summary>
internal sealed record Pipeline
{
    /// <summary>The YAML file; paths in it are relative to its folder.</summary>
    public required string File { get; init; }

    /// <summary>File, line and key, as an error about a value begins; of keys such as <c>data.path</c>.</summary>
    // What the values mean is known when photos and backbones are opened: errors then still name the line.
    public required Func<string, string> Place { get; init; }

    /// <summary>Names the output folder.</summary>
    public required string Name { get; init; }

    public string Description { get; init; } = "";

    public required DatasetOptions Data { get; init; }

    /// <summary>At least one.</summary>
    public required IReadOnlyList<ModelRequest> Models { get; init; }

    /// <summary>One feature set per model and cut.</summary>
    public required IReadOnlyList<CutRequest> Cuts { get; init; }

    public required PreprocessingOverride Preprocessing { get; init; }

    /// <summary>The decoder of the photos, or null for the first one that can be used.</summary>
    public AdapterRequest? Decoder { get; init; }

    /// <summary>The library that reads and writes Parquet, or null for the first one that can be used.</summary>
    public AdapterRequest? Parquet { get; init; }

    /// <summary>Random transforms of the cached views, in order.</summary>
    public required IReadOnlyList<StepRequest> Augment { get; init; }

    /// <summary>Augmented copies of each training photo; 0 without augmentation.</summary>
    public int Views { get; init; }

    public DeviceOptions Device { get; init; } = new();

    public DecodeOptions Decode { get; init; } = new();

    /// <summary>How backbones are quantized and proven before the extraction; null leaves them as they are.</summary>
    internal QuantizeSection? Quantize { get; init; }

    /// <summary>How photos become vectors; the runner adds threads and progress.</summary>
    public ExtractionOptions Extraction { get; init; } = new();

    public required IReadOnlyList<HeadRequest> Heads { get; init; }

    /// <summary>How heads are compared; the runner adds threads and provenance.</summary>
    public required ComparisonOptions Evaluation { get; init; }

    /// <summary>Seeds views, folds and heads alike.</summary>
    public int Seed { get; init; }

    /// <summary>How each backbone is fine-tuned besides; null for frozen features alone.</summary>
    public FinetuneOptions? Finetune { get; init; }

    /// <summary>Print the table of layers with the cut before extraction.</summary>
    public bool Summary { get; init; }

    public FeaturesExportSection? FeaturesExport { get; init; }

    /// <summary>The classifier to write, or null.</summary>
    public ExportSection? Export { get; init; }

    /// <summary>File name of the HTML report in the output folder, or null.</summary>
    public string? Report { get; init; }

    /// <summary>File name of an HTML page that shows the evaluated photos with the exported classifier's predictions, or null.</summary>
    public string? Predictions { get; init; }

    /// <summary>The fine-tuning of one of the models.</summary>
    internal FinetuneRequest Tune(Dataset dataset, ResolvedModel model, string folder) =>
        new()
        {
            Dataset = dataset,
            Model = model,
            File = TunedFile(model, folder),
            Classifier = TunedClassifier(model, folder),
            // A folder per model: there is one checkpoint in each.
            Cache = Path.Combine(FinetuneFolder(folder), model.Name),
            Options = Finetune! with { Seed = Seed },
            Preprocessing = Preprocessing,
            Decode = Decode,
            Extraction = Extraction,
        };

    private static string FeaturesFolder(string folder) => Path.Combine(folder, "features");

    private static string FinetuneFolder(string folder) => Path.Combine(folder, "finetune");

    /// <summary>Folders in the output folder that hold more than one file's result.</summary>
    internal static IEnumerable<string> OwnFolders(string folder) => [FeaturesFolder(folder), FinetuneFolder(folder)];

    internal static string TunedFile(ResolvedModel model, string folder) => Path.Combine(folder, model.Name + "-tuned.onnx");

    internal static string TunedClassifier(ResolvedModel model, string folder) =>
        Path.Combine(folder, model.Name + "-tuned-classifier.onnx");

    /// <summary>The split that the page of predictions shows: photos that the exported head was not trained on.</summary>
    internal string PredictedSplit => Evaluation.Folds > 0 ? Splits.Test : Evaluation.ScoreSplit;

    /// <summary>The extraction with a tuned model: the feature that its head takes, of the photos as they are.</summary>
    // Without the pipeline's preprocessing:
    // the tuned file's manifest states what it was trained with, changes included.
    internal ExtractionSpec SpecifyTuned(Toolbox tools, Dataset dataset, ResolvedModel tuned, string folder) =>
        tools.Specify(dataset, tuned, [ExtractionOutput.Below(FeaturesFolder(folder), tuned.Name, CutRequest.Default)]) with
        {
            Device = Device,
            Decode = Decode,
        };

    /// <summary>Whether the models run as their int8 forms.</summary>
    internal bool IsInt8 => Quantize is not null || Device.Precision == Precision.Int8;

    /// <summary>What a user of both sections would expect otherwise; null where there is nothing to report.</summary>
    internal string? TunedStaysFloat =>
        IsInt8 && Finetune is not null
            ? "int8: tuned backbones stay in float, as their heads were trained on float vectors; 'transfer models quantize' makes an int8 "
                + "form of a tuned file"
            : null;

    /// <summary>How the int8 form of a model is made.</summary>
    internal Int8Request Int8(int threads, Action<string> message) =>
        new(Quantize?.Options ?? new(), threads, message) { Decode = Decode, Preprocessing = Preprocessing };

    /// <summary>Sets of an int8 form of the model that an earlier run left: their names begin with the model's.</summary>
    // In ordinal order: file systems list folders in different orders, and the first set that fits names the backbone.
    internal static IEnumerable<string> Int8Sets(ResolvedModel model, string folder)
    {
        var features = FeaturesFolder(folder);
        // Folders of sets do not have all characters that a file's name can have.
        var start = Path.GetFileName(ExtractionOutput.Below(features, Int8Models.NameStart(model), CutRequest.Default).Folder);
        return Directory.Exists(features)
            ? Directory
                .EnumerateDirectories(features)
                .Where(f => Path.GetFileName(f).StartsWith(start, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
            : [];
    }

    /// <summary>The extraction with one of the models; each cut's set lies below <paramref name="folder"/>.</summary>
    /// <exception cref="UsageException">An augmentation or a parameter of one is wrong.</exception>
    internal ExtractionSpec Specify(Toolbox tools, Dataset dataset, ResolvedModel model, string folder)
    {
        var outputs = Cuts.Select(cut => ExtractionOutput.Below(FeaturesFolder(folder), model.Name, cut)).ToList();
        var spec = tools.Specify(dataset, model, outputs, Preprocessing) with { Device = Device, Decode = Decode };
        return spec with
        {
            OpenModel = () => OpenCut(spec),
            Views =
                Views == 0
                    ? null
                    : AugmentedViews.Of(Views, AugmentationReader.Read(Augment, spec.Preprocessing), spec.Preprocessing, (ulong)Seed),
        };
    }

    /// <summary>What is no fault of the model's file is one of the cut.</summary>
    private CutModel OpenCut(ExtractionSpec spec)
    {
        try
        {
            return spec.OpenModel();
        }
        catch (UsageException e)
        {
            throw new BadInputException($"{Place("cut")}: {e.Message}", e);
        }
    }
}

/// <param name="Name">A name of the model store, or an ONNX file.</param>
/// <param name="Where">File, line and key, as an error about it begins.</param>
internal sealed record ModelRequest(string Name, string Where)
{
    /// <exception cref="BadInputException">There is no such model.</exception>
    public ResolvedModel Resolve(ModelStore models) => ErrorPlace.Add(Where, () => models.Resolve(Name));
}

/// <param name="Optional">Leave it out, with a warning, when its package is not in this build.</param>
internal sealed record HeadRequest(StepRequest Step, bool Optional)
{
    /// <exception cref="UsageException">No head has the name, or an option is wrong.</exception>
    public HeadSpec Spec(IReadOnlyList<IHeadTrainer> trainers)
    {
        var trainer = HeadCatalog.Find(Step.Name, trainers);
        var given = Step.Options.Where(o => o.Value is not null).ToDictionary(o => o.Key, o => o.Value!);
        var spec = HeadSpec.Create(trainer, given) with { Optional = Optional };
        // Without a value an option has its default, if it is one.
        foreach (var (option, _) in Step.Options.Where(o => o.Value is null))
            HeadOptions.Find(trainer, option);
        return spec;
    }
}

/// <param name="Prefix">The files' path in the folder of results, without their extension.</param>
internal sealed record FeaturesExportSection(ExportFormat Format, string Prefix);

/// <param name="Head">A head's name, or <see cref="Best"/>.</param>
internal sealed record ExportSection(string File, string Head)
{
    public const string Best = "best";
}

/// <summary>The section <c>quantize</c>.</summary>
internal sealed record QuantizeSection(QuantizationOptions Options, ProofOptions Proof);
