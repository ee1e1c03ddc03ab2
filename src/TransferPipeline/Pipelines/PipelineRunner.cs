using TransferPipeline.Backbones.Store;
using TransferPipeline.Classifiers;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Heads.Common;
using TransferPipeline.Inference;
using TransferPipeline.Jobs;
using TransferPipeline.Reports;
using TransferPipeline.Tuning;

namespace TransferPipeline.Pipelines;

/// <summary>Receives what a run does, for display; none of it is a result.</summary>
internal sealed record PipelineEvents
{
    public Action<string> Note { get; init; } = static _ => { };

    public Action<string> Warn { get; init; } = static _ => { };

    /// <summary>Called once for each fine-tuning; the receiver shows its progress and is disposed at its end.</summary>
    public Func<string, TuningDisplay> StartTuning { get; init; } = static _ => new(static _ => { }, static () => { });

    /// <summary>Called once per model; the receiver shows that extraction's progress and is disposed at its end.</summary>
    public Func<string, ExtractionDisplay> StartExtraction { get; init; } = static _ => new(null, static () => { });
}

/// <summary>A display of one extraction.</summary>
internal sealed record ExtractionDisplay(IProgress<ExtractionProgress>? Progress, Action End) : IDisposable
{
    public void Dispose() => End();
}

/// <summary>A display of one fine-tuning.</summary>
internal sealed record TuningDisplay(Action<TuningProgress> Progress, Action End) : IDisposable
{
    public void Dispose() => End();
}

/// <summary>One feature set of a run.</summary>
/// <param name="Backbone">What made its vectors; a classifier of its heads is exported with it.</param>
/// <param name="Tuning">Of the backbone, where a fine-tuning made it.</param>
internal sealed record PipelineSet(FeatureSet Set, ExtractionResult Extraction, ResolvedModel Backbone, FinetuneResult? Tuning = null)
{
    /// <summary>The vectors, and the head that was trained with the backbone.</summary>
    public FeatureSource Load()
    {
        var source = new FeatureSource(Summaries.Of(Set), Set.Load());
        if (Tuning is null)
            return source;
        // The epochs for the report's learning curves.
        var fit = new FitReport { Iterations = Tuning.History.Count, History = [.. Tuning.History.Select(e => e.ToRecord())] };
        return TunedHeads.On(source, Set, Tuning.Classifier!, fit);
    }
}

/// <param name="Sets">One per model and cut, then one for each tuned model.</param>
/// <param name="Run">Null when the pipeline names no head.</param>
/// <param name="Files">What was written, by purpose: classifier, report, comparison, features.</param>
internal sealed record PipelineResult(IReadOnlyList<PipelineSet> Sets, ComparisonRun? Run, IReadOnlyDictionary<string, string> Files);

/// <summary>Does a whole pipeline: datasets, extraction, comparison, export. Each step reuses what an earlier run left.</summary>
internal sealed class PipelineRunner(Toolbox tools, Pipeline pipeline, string folder, PipelineEvents events)
{
    private readonly PipelineOutput _output = new(tools, pipeline, folder);

    /// <param name="comparison">Threads, command line and versions; what the pipeline itself states is filled in here.</param>
    public PipelineResult Run(ComparisonOptions comparison, CancellationToken cancellation)
    {
        var heads = RequireHeads(); // before any work: a wrong name or an absent package must not cost an extraction
        OutputTarget.RequireFolder(folder);
        using var dataset = OpenData(tools, pipeline);
        var models = RequireInputs(heads, dataset);
        foreach (var problem in dataset.Problems)
            events.Warn(problem.ToString());
        if (pipeline.TunedStaysFloat is { } note)
            events.Note(note);
        Directory.CreateDirectory(folder);

        var sets = MakeSets(dataset, models, comparison.Threads, cancellation);
        if (pipeline.FeaturesExport is { } features)
            _output.WriteFeatures(features, sets.ConvertAll(s => s.Set));
        if (heads.Count == 0)
            return new(sets, null, _output.Files);

        var sources = sets.ConvertAll(s => s.Load());
        var run = Comparer.Run(OptionsOf(comparison, cancellation), sources, [.. heads.Select(h => h.Spec)]);
        // First: page and export can fail, and the figures of a long comparison are then not lost.
        _output.WriteComparison(run.Result);
        if (pipeline.Report is not null)
            _output.WriteReport(pipeline.Report, run.Result, dataset);
        if (pipeline.Export is { } export)
            Export(export, run, sets, sources, dataset, comparison.Threads, cancellation);
        return new(sets, run, _output.Files);
    }

    /// <summary>The heads that can be trained here.</summary>
    /// <exception cref="BadInputException">A head is wrong, or none of them serves the pipeline.</exception>
    private List<PipelineHead> RequireHeads()
    {
        var heads = PipelineHeads.Read(tools, pipeline, static fault => throw fault);
        foreach (var head in heads.Where(h => !h.IsAvailable))
            events.Warn($"left out: {head.Spec.Trainer.Name} is not available: {head.Spec.Trainer.Unavailable}");
        heads.RemoveAll(h => !h.IsAvailable);
        PipelineChecks.RequireHeads(pipeline, heads.ConvertAll(h => h.Spec));
        return heads;
    }

    /// <summary>Refuses what would otherwise be found wrong after the extraction.</summary>
    /// <returns>The backbones in float: weights of 8 bits cannot be trained, so a fine-tuning starts from these.</returns>
    private List<ResolvedModel> RequireInputs(List<PipelineHead> heads, Dataset dataset)
    {
        PipelineHeads.CheckClasses(heads, dataset.Classes, static fault => throw fault);
        PipelineChecks.RequirePhotos(pipeline, dataset, compares: heads.Count > 0);
        foreach (var head in heads)
            PipelineChecks.RequireRows(pipeline, dataset, head);
        var models = pipeline.Models.Select(m => m.Resolve(tools.Models)).ToList();
        PipelineChecks.RequireNames(pipeline, models, folder);
        PipelineChecks.RequireFiles(pipeline, folder, writes: true);
        // The first backbone is about to be opened anyway; a wrong cut of another one would be found after hours.
        foreach (var model in models)
        {
            var spec = pipeline.Specify(tools, dataset, model, folder);
            if (pipeline.IsInt8 || (models.Count == 1 && heads.TrueForAll(h => h.Spec.Impossible(int.MaxValue, columns: 1) is null)))
                continue;
            foreach (var output in spec.OpenModel().Outputs)
                PipelineChecks.RequireColumns(heads, output.Dimension);
        }

        if (pipeline.Finetune is not null)
            foreach (var model in models)
                Finetuning.Require(tools, pipeline.Tune(dataset, model, folder));
        return models;
    }

    /// <exception cref="BadInputException">There is nothing at the pipeline's path, or no photo in it.</exception>
    internal static Dataset OpenData(Toolbox tools, Pipeline pipeline)
    {
        if (!Path.Exists(pipeline.Data.Path))
        {
            var cure = pipeline.Data.Path.Contains('$', StringComparison.Ordinal)
                ? "variables are not replaced in a pipeline; write the path, or let the shell replace them in --set data.path=PATH"
                : "put the photos there, or say where they are with --set data.path=PATH";
            throw new BadInputException($"{pipeline.Place("data.path")}: {pipeline.Data.Path}: there is no such file or folder; {cure}");
        }

        try
        {
            return DatasetReader.Open(pipeline.Data, tools.PhotoTable);
        }
        // The reader of photos does not know where a column or a class was named.
        catch (UsageException e)
        {
            throw new BadInputException($"{pipeline.Place($"data.{KeyOf(e, pipeline.Data)}")}: {e.Message}", e);
        }
    }

    private static string KeyOf(UsageException error, DatasetOptions data) =>
        error.MissingColumn is { } column
            ? column == data.PathColumn
                ? "path-column"
                : column == data.LabelColumn
                    ? "label-column"
                    : "split-column"
            : data.Classes.Count > 0
                ? "classes"
                : "path";

    /// <summary>Sets of all backbones, then of those that are fine-tuned.</summary>
    private List<PipelineSet> MakeSets(Dataset dataset, List<ResolvedModel> models, int threads, CancellationToken cancellation)
    {
        var used = models.ConvertAll(model => Quantized(model, dataset, threads, cancellation));
        var sets = used.SelectMany(model => Extract(pipeline.Specify(tools, dataset, model, folder), model, null, threads, cancellation))
            .ToList();
        var tunings = pipeline.Finetune is null ? [] : models.ConvertAll(model => Tune(dataset, model, threads, cancellation));
        foreach (var tuning in tunings)
        {
            var tuned = tools.Models.Resolve(tuning.File);
            sets.AddRange(Extract(pipeline.SpecifyTuned(tools, dataset, tuned, folder), tuned, tuning, threads, cancellation));
        }

        return sets;
    }

    private IEnumerable<PipelineSet> Extract(
        ExtractionSpec spec,
        ResolvedModel model,
        FinetuneResult? tuning,
        int threads,
        CancellationToken cancellation
    )
    {
        if (spec.Device.Precision == Precision.Int8)
            spec = spec with { Device = spec.Device with { Precision = Precision.Fp32 } }; // the model is of 8 bits by now
        using var display = events.StartExtraction(model.Name);
        var options = pipeline.Extraction with { Workers = threads, Progress = display.Progress, Message = events.Note };
        var results = Extractor.Run(spec, options, cancellation);
        return [.. results.Select(r => new PipelineSet(FeatureSet.Open(r.Folder, tools.Table), r, model, tuning))];
    }

    /// <summary>The backbone, or its int8 form where the pipeline requests it; with the section <c>quantize</c> proven too.</summary>
    private ResolvedModel Quantized(ResolvedModel model, Dataset dataset, int threads, CancellationToken cancellation)
    {
        if (!pipeline.IsInt8)
            return model;
        var request = pipeline.Int8(threads, events.Note);
        var used = tools.Int8(request).Of(model, dataset, Pipeline.Int8Sets(model, folder), cancellation);
        if (pipeline.Quantize is { } section)
        {
            var proof = new Int8Proof(tools, section.Proof, threads, events.Note, folder)
            {
                Decode = pipeline.Decode,
                Preprocessing = pipeline.Preprocessing,
            };
            _output.Add($"quantization of {model.Name}", proof.Require(model, used, dataset, cancellation));
        }

        return used;
    }

    private FinetuneResult Tune(Dataset dataset, ResolvedModel model, int threads, CancellationToken cancellation)
    {
        using var extracting = events.StartExtraction($"{model.Name} for fine-tuning");
        using var training = events.StartTuning(model.Name);
        var request = pipeline.Tune(dataset, model, folder);
        var result = Finetuning.Run(
            tools,
            request with
            {
                Extraction = request.Extraction with { Workers = threads, Progress = extracting.Progress, Message = events.Note },
                Progress = training.Progress,
            },
            cancellation
        );
        _output.Add($"tuned {model.Name}", result.File);
        _output.Add($"history {model.Name}", Finetuning.ResultFile(request));
        return result;
    }

    /// <summary>What the pipeline and its caller ask of the comparison.</summary>
    private ComparisonOptions OptionsOf(ComparisonOptions caller, CancellationToken cancellation) =>
        pipeline.Evaluation with
        {
            Threads = caller.Threads,
            Command = caller.Command,
            Versions = caller.Versions,
            Progress = caller.Progress,
            Seed = pipeline.Seed,
            // The page alone shows the map.
            Map = pipeline.Report is not null,
            Cancellation = cancellation,
        };

    /// <summary>The classifier of the best head, and what it predicts.</summary>
    private void Export(
        ExportSection section,
        ComparisonRun run,
        List<PipelineSet> sets,
        List<FeatureSource> sources,
        Dataset dataset,
        int threads,
        CancellationToken cancellation
    )
    {
        var best = PipelineHeads.Pick(pipeline, section, run);
        var at = run.Result.Heads[best].FeatureSet;
        var file = Path.Combine(folder, section.File);
        var builder = new ClassifierBuilder(tools, sets[at].Set, sets[at].Backbone);
        var check = builder.Write(file, run.Fitted[best], sources[at].Data, dataset, cancellation);
        events.Note($"{file}: {run.Result.Heads[best].ChosenTitle}; {check}");
        _output.Add("classifier", file);
        if (pipeline.Predictions is not null)
            _output.WritePredictions(pipeline.Predictions, file, dataset, threads, cancellation);
    }
}
