using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Images;
using TransferPipeline.Inference;

namespace TransferPipeline.Jobs;

/// <summary>What determines the vectors of one dataset on one backbone, by the names that users give.</summary>
public sealed record FeatureExtraction
{
    public required Toolbox Tools { get; init; }

    public required Dataset Dataset { get; init; }

    public required ResolvedModel Model { get; init; }

    public required IReadOnlyList<ExtractionOutput> Outputs { get; init; }

    public PreprocessingOverride Preprocessing { get; init; } = new();

    public ExtractSection Extract { get; init; } = new();

    /// <summary>Random transforms of the views, in order.</summary>
    public IReadOnlyList<StepRequest> Augment { get; init; } = [];

    public int Views { get; init; }

    public int Seed { get; init; }

    /// <summary>The extractor's job; the backbone is opened only when something is to be computed.</summary>
    /// <exception cref="UsageException">The device, an augmentation or a parameter of one is wrong, or the model's pixels or feature are not clear.</exception>
    public ExtractionJob CreateJob()
    {
        if (Model.Question is { } question && !Preprocessing.Normalizes)
            throw new UsageException(question);
        var preprocessing = Preprocessing.Apply(Model.Preprocessing);
        List<ExtractionOutput> outputs = [.. Outputs.Select(o => o with { Request = Model.Explicit(o.Request) })];
        return new()
        {
            Dataset = Dataset,
            Decoder = Tools.Decoder,
            Table = Tools.Table,
            Model = Model.Name,
            ModelSha256 = Model.Sha256,
            OpenModel = () => Backbone.Open(Model.File, new PhotoSize(preprocessing.OutputHeight, preprocessing.OutputWidth)).Cut([.. outputs.Select(o => o.Request)]),
            Outputs = outputs,
            Preprocessing = preprocessing,
            Decode = new() { ExifTranspose = Extract.ExifTranspose },
            Views = Views == 0 ? null : AugmentedViews.Of(Views, AugmentationReader.Read(Augment, preprocessing), preprocessing, (ulong)Seed),
            Device = DeviceOptions.Parse(Extract.Device, Extract.Precision, Extract.CudaGraphs) with { MemoryLimit = (long)(Extract.DeviceMemory * 1e9), CudnnSearch = Extract.CudnnSearch, CudaLayout = Extract.CudaLayout, CudaFusion = Extract.CudaFusion },
        };
    }

    public IReadOnlyList<ExtractionResult> Run(ExtractionOptions options, CancellationToken cancellation)
    {
        var job = CreateJob();
        foreach (var note in Model.Notes(Outputs.Select(o => o.Request)))
            options.Message?.Invoke(note);
        return Extractor.Run(job, options with { MaxFailedShare = Extract.MaxFailed, Batch = Extract.Batch }, cancellation);
    }

    /// <summary>Folder of the set of one cut below a folder for all: the model's name, and what differs from the default cut.</summary>
    public static string FolderName(ResolvedModel model, CutRequest cut)
    {
        var name = cut == CutRequest.Default ? model.Name : $"{model.Name}-{cut.Cut}{(cut.Pooling == Pooling.None ? "" : "-" + cut.Pooling)}";
        return string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_'));
    }
}
