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

/// <param name="Sets">One per model and cut, then one for each tuned model.</param>
/// <param name="Run">Null when the pipeline names no head.</param>
/// <param name="BestHead">Index of the head that was exported, or of the best one.</param>
/// <param name="Files">What was written, by purpose: classifier, report, comparison, features.</param>
internal sealed record PipelineResult(
    IReadOnlyList<(FeatureSet Set, ExtractionResult Extraction)> Sets,
    ComparisonRun? Run,
    int BestHead,
    IReadOnlyDictionary<string, string> Files
);

/// <summary>Does a whole pipeline: datasets, extraction, comparison, export. Each step reuses what an earlier run left.</summary>
internal sealed class PipelineRunner(Toolbox tools, Pipeline pipeline, string folder, PipelineEvents events)
{
    /// <summary>Name of the comparison in the output folder.</summary>
    internal const string ComparisonFile = "comparison.json";

    private readonly SortedDictionary<string, string> _files = new(StringComparer.Ordinal);

    /// <param name="comparison">Threads, command line and versions; what the pipeline itself says is filled in here.</param>
    public PipelineResult Run(ComparisonOptions comparison, CancellationToken cancellation)
    {
        var heads = HeadSpecs(); // before any work: a wrong name or an absent package must not cost an extraction
        PipelineChecks.RequireHeads(pipeline, [.. heads.Select(h => h.Spec)]);
        OutputTarget.RequireFolder(folder);
        using var dataset = OpenData(tools, pipeline);
        // Class weights and splits are checked here too,
        // since the comparison would find them wrong after the extraction.
        CheckClasses(heads, dataset.Classes);
        PipelineChecks.RequirePhotos(pipeline, dataset, compares: heads.Count > 0);
        // Kept beside the int8 forms: weights of 8 bits cannot be trained, so a fine-tuning starts from these.
        var floats = pipeline.Models.Select(m => tools.Models.Resolve(m)).ToList();
        PipelineChecks.RequireNames(pipeline, floats, folder);
        PipelineChecks.RequireFiles(pipeline, folder, writes: true);
        // The first backbone is about to be opened anyway; a wrong cut of another one would be found after hours.
        foreach (var model in floats)
        {
            var spec = pipeline.Specify(tools, dataset, model, folder);
            if (floats.Count > 1 && !pipeline.IsInt8)
                spec.OpenModel();
        }

        if (pipeline.Finetune is not null)
            foreach (var model in floats)
                Finetuning.Require(tools, pipeline.Tune(dataset, model, folder));
        foreach (var problem in dataset.Problems)
            events.Warn(problem.ToString());
        if (pipeline.TunedStaysFloat is { } note)
            events.Note(note);
        Directory.CreateDirectory(folder);
        var models = floats.ConvertAll(model => Quantized(model, dataset, comparison.Threads, cancellation));
        var sets = models.SelectMany(model => Extract(dataset, model, comparison.Threads, cancellation)).ToList();
        // One entry per set: a classifier is exported with the backbone of the set that its head was trained on.
        var setModels = models.SelectMany(model => Enumerable.Repeat(model, pipeline.Cuts.Count)).ToList();
        var tunings = pipeline.Finetune is null ? [] : floats.ConvertAll(model => Tune(dataset, model, comparison.Threads, cancellation));
        foreach (var tuned in tunings.Select(t => tools.Models.Resolve(t.File)))
        {
            sets.AddRange(Extract(pipeline.SpecifyTuned(tools, dataset, tuned, folder), tuned.Name, comparison.Threads, cancellation));
            setModels.Add(tuned);
        }

        if (pipeline.FeaturesExport is { } export)
            ExportFeatures(export, sets.Select(s => s.Set).ToList());
        if (heads.Count == 0)
            return new(sets, null, -1, _files);

        var sources = sets.Select(s => new FeatureSource(Summaries.Of(s.Set), s.Set.Load())).ToList();
        for (var i = 0; i < tunings.Count; i++)
        {
            // Sets of tuned backbones come last, in the order of the tunings.
            var at = sources.Count - tunings.Count + i;
            sources[at] = TunedHeads.On(sources[at], sets[at].Set, tunings[i].Classifier!, Fit(tunings[i]));
        }

        var options = pipeline.Evaluation with
        {
            Threads = comparison.Threads,
            Command = comparison.Command,
            Versions = comparison.Versions,
            Progress = comparison.Progress,
            Seed = pipeline.Seed,
            // The page alone shows the map.
            Map = pipeline.Report is not null,
            Cancellation = cancellation,
        };
        var run = Comparer.Run(options, sources, [.. heads.Select(h => h.Spec)]);
        // First: page and export can fail, and the figures of a long comparison are then not lost.
        WriteText("comparison", ComparisonFile, ComparisonJson.Serialize(run.Result));
        if (pipeline.Report is not null)
            WriteReport(pipeline.Report, run.Result, dataset);
        var best = PickHead(run);
        if (pipeline.Export is not null)
        {
            var classifier = ExportClassifier(run, best, sets, sources, setModels, dataset, cancellation);
            if (pipeline.Predictions is not null)
                WritePredictions(pipeline.Predictions, classifier, dataset, comparison.Threads, cancellation);
        }

        return new(sets, run, best, _files);
    }

    /// <exception cref="BadInputException">There is nothing at the pipeline's path, or no photo in it.</exception>
    internal static Dataset OpenData(Toolbox tools, Pipeline pipeline)
    {
        if (!Path.Exists(pipeline.Data.Path))
            throw new BadInputException(
                $"{pipeline.Data.Path}: there is no such file or folder; put the photos there, or say where they are with --set "
                    + $"data.path=PATH"
            );
        try
        {
            return DatasetReader.Open(pipeline.Data, tools.PhotoTable);
        }
        // The reader of a table does not know where its column was named.
        catch (UsageException e) when (pipeline.Columns.FirstOrDefault(c => c.Name == e.MissingColumn) is { } column)
        {
            throw new BadInputException($"{column.Where}: {e.Message}", e);
        }
    }

    private static void CheckClasses(IEnumerable<(HeadSpec Spec, string Where)> heads, IReadOnlyList<string> classes)
    {
        foreach (var (spec, where) in heads)
        {
            try
            {
                spec.CheckClasses(classes);
            }
            catch (UsageException e)
            {
                throw new BadInputException($"{where}: {e.Message}", e);
            }
        }
    }

    private List<(HeadSpec Spec, string Where)> HeadSpecs()
    {
        var specs = new List<(HeadSpec Spec, string Where)>();
        foreach (var request in pipeline.Heads)
        {
            var (step, optional) = request;
            try
            {
                var spec = request.Spec(tools.Trainers);
                if (spec.Trainer.Unavailable is null)
                    specs.Add((spec, step.Where));
                else if (optional)
                    events.Warn($"left out: {step.Name} is not available: {spec.Trainer.Unavailable}");
                else
                    throw new UsageException($"{step.Name} is not available: {spec.Trainer.Unavailable}; or mark it 'optional: true'");
            }
            catch (UsageException e)
            {
                throw new BadInputException($"{step.Where}: {e.Message}", e);
            }
        }

        // Sweeps and few-shot curves name their head by its title, so two heads cannot have the same.
        return specs.GroupBy(s => s.Spec.Title).FirstOrDefault(g => g.Count() > 1) is { } twice
            ? throw new BadInputException(
                $"{pipeline.File}: the head '{twice.Key}' is listed twice; leave one out, or give them other options"
            )
            : specs;
    }

    private IEnumerable<(FeatureSet Set, ExtractionResult Extraction)> Extract(
        Dataset dataset,
        ResolvedModel model,
        int threads,
        CancellationToken cancellation
    ) => Extract(pipeline.Specify(tools, dataset, model, folder), model.Name, threads, cancellation);

    private IEnumerable<(FeatureSet Set, ExtractionResult Extraction)> Extract(
        ExtractionSpec spec,
        string name,
        int threads,
        CancellationToken cancellation
    )
    {
        if (spec.Device.Precision == Precision.Int8)
            spec = spec with { Device = spec.Device with { Precision = Precision.Fp32 } }; // the model is of 8 bits by now
        using var display = events.StartExtraction(name);
        var options = pipeline.Extraction with { Workers = threads, Progress = display.Progress, Message = events.Note };
        var results = Extractor.Run(spec, options, cancellation);
        return [.. results.Select(r => (FeatureSet.Open(r.Folder, tools.Table), r))];
    }

    /// <summary>The backbone itself, or its int8 form where the pipeline says so; with the section <c>quantize</c> proven too.</summary>
    private ResolvedModel Quantized(ResolvedModel model, Dataset dataset, int threads, CancellationToken cancellation)
    {
        if (!pipeline.IsInt8)
            return model;
        var request = pipeline.Int8(threads, events.Note);
        var used = tools.Int8(request).Of(model, dataset, Pipeline.Int8Sets(model, folder), cancellation);
        if (pipeline.Quantize is { } section)
            _files[$"quantization of {model.Name}"] = new Int8Proof(tools, section.Proof, threads, events.Note, folder)
            {
                Decode = pipeline.Decode,
                Preprocessing = pipeline.Preprocessing,
            }.Require(model, used, dataset, cancellation);
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
        _files[$"tuned {model.Name}"] = result.File;
        _files[$"history {model.Name}"] = Finetuning.ResultFile(request);
        return result;
    }

    /// <summary>The epochs for the report's learning curves.</summary>
    private static FitReport Fit(FinetuneResult tuning) =>
        new() { Iterations = tuning.History.Count, History = [.. tuning.History.Select(e => e.ToRecord())] };

    private void ExportFeatures(FeaturesExportSection export, List<FeatureSet> sets)
    {
        foreach (var set in sets)
        {
            // Several sets under one name would overwrite each other's files.
            var prefix = Path.Combine(folder, sets.Count == 1 ? export.Prefix : $"{export.Prefix}-{Path.GetFileName(set.Folder)}");
            foreach (var file in set.Export(export.FileFormat, prefix))
                _files[$"features {Path.GetFileName(file)}"] = file;
        }
    }

    /// <summary>The head that the pipeline names, else the most accurate one; of those that can be exported, where one is.</summary>
    private int PickHead(ComparisonRun run)
    {
        var wanted = pipeline.Export?.Head ?? ExportSection.Best;
        // Where nothing is exported, the best head may be one that ONNX cannot hold.
        var candidates = Enumerable
            .Range(0, run.Fitted.Count)
            .Where(i =>
                wanted == ExportSection.Best ? pipeline.Export is null || run.Fitted[i].NotExportable is null : run.Fitted[i].Name == wanted
            )
            .ToList();
        if (candidates.Count == 0)
            throw new UsageException(
                wanted == ExportSection.Best ? "none of the heads can be written as ONNX"
                : run.Result.LeftOut.FirstOrDefault(h => h.Name == wanted) is { } left
                    ? $"export: the head '{wanted}' was left out: {left.Reason}"
                : $"export: no head '{wanted}' among the heads of {pipeline.File}{NearestName.Hint(wanted, run.Fitted.Select(h => h.Name))}"
            );
        // Several heads can be of the trainer that is named, with other options.
        return candidates[Verdict.MostAccurate([.. candidates.Select(i => run.Result.Heads[i].Accuracy.Value)])];
    }

    private string ExportClassifier(
        ComparisonRun run,
        int best,
        List<(FeatureSet Set, ExtractionResult Extraction)> sets,
        List<FeatureSource> sources,
        List<ResolvedModel> models,
        Dataset dataset,
        CancellationToken cancellation
    )
    {
        var index = run.Result.Heads[best].FeatureSet;
        var file = Path.Combine(folder, pipeline.Export!.File);
        var builder = new ClassifierBuilder(tools, sets[index].Set, models[index]);
        var check = builder.Write(file, run.Fitted[best], sources[index].Data, dataset, cancellation);
        events.Note($"{file}: {run.Result.Heads[best].ChosenTitle}; {check}");
        _files["classifier"] = file;
        return file;
    }

    /// <summary>The exported classifier on photos that it was not trained on, read and run as `transfer predict` does.</summary>
    private void WritePredictions(string name, string classifier, Dataset dataset, int threads, CancellationToken cancellation)
    {
        var file = Path.Combine(folder, name);
        // Batches run side by side, so one run of the network takes one thread.
        using var model = Classifier.Open(classifier, threads: 1);
        var photos = Enumerable
            .Range(0, dataset.Entries.Count)
            .Where(i => dataset.Entries[i].Split == pipeline.PredictedSplit)
            .Select(i => new PhotoOfDataset(dataset, i))
            .ToList();
        var shown = new ReportPhotos();
        foreach (var (prediction, photo) in new PhotoClassifier(tools.Decoder, model).Predict(photos, threads, cancellation).Zip(photos))
            // Photos that cannot be read were reported by the extraction.
            if (prediction.Failure is null)
                shown.Add(prediction.ToPage(model.Info.Labels, dataset.Entries[photo.Index].Label));
        PredictionsPage.Write(
            file,
            Path.GetFileName(classifier),
            shown,
            new PhotoThumbnails(dataset, tools.Decoder, tools.Encoder, PredictionsPage.ThumbnailSide).Of
        );
        _files["predictions"] = file;
    }

    private void WriteReport(string name, Comparison comparison, Dataset dataset)
    {
        var file = Path.Combine(folder, name);
        ComparisonReport.Write(file, comparison, new PhotoThumbnails(dataset, tools.Decoder, tools.Encoder).Of);
        _files["report"] = file;
    }

    private void WriteText(string purpose, string name, string text)
    {
        var file = Path.Combine(folder, name);
        DurableFile.WriteText(file, text + "\n");
        _files[purpose] = file;
    }
}
