using System.Diagnostics;
using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Inference;
using TransferPipeline.Jobs;
using TransferPipeline.Quantization;

namespace TransferPipeline.Pipelines;

/// <summary>One feature set that a run would make or bring up to date.</summary>
/// <param name="Vectors">Photos and their views.</param>
/// <param name="There">Vectors of the same recipe that an earlier run left.</param>
/// <param name="Bytes">On disk when complete.</param>
/// <param name="Seconds">Estimate for what is missing, from a trial of the backbone on this machine's CPU; null for a GPU.</param>
internal sealed record PlannedSet(
    string Model,
    string Cut,
    string Folder,
    int Dimension,
    int Vectors,
    int There,
    long Bytes,
    double? Seconds
);

/// <summary>What a run would do, found without doing it.</summary>
/// <param name="Problems">What would make it fail: a file that is missing, a head that is not available, too little disk.</param>
internal sealed record PipelinePlan(
    string Data,
    int Photos,
    int Classes,
    IReadOnlyList<DatasetProblem> DataProblems,
    IReadOnlyList<PlannedSet> Sets,
    IReadOnlyList<string> Heads,
    long BytesFree,
    IReadOnlyList<string> Problems
)
{
    /// <summary>Photos in the batch of the trial.</summary>
    private const int TrialBatch = 4;

    /// <summary>About what path, label and hash of a row take in a set.</summary>
    private const int RowBytes = 200;

    /// <summary>What is done before the extraction: one line for each backbone that is quantized.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Each fine-tuning in one line: where it begins, what it trains.</summary>
    public IReadOnlyList<string> Tunings { get; init; } = [];

    /// <summary>What fine-tunings would add on disk: activations, tuned backbones, classifiers.</summary>
    public long TuningBytes { get; init; }

    public long BytesNeeded => TuningBytes + Sets.Sum(s => s.Bytes * (s.Vectors - s.There) / Math.Max(1, s.Vectors));

    public double? Seconds => Sets.Any(s => s.Seconds is null) ? null : Sets.Sum(s => s.Seconds);

    public static PipelinePlan Make(Toolbox tools, Pipeline pipeline, string folder, int threads)
    {
        // Collected, not thrown: a plan lists all that is missing at once.
        var problems = new List<string>();
        using var dataset = Try(problems, () => PipelineRunner.OpenData(tools, pipeline));
        var heads = HeadsOf(tools, pipeline, dataset, problems);
        var hasFolder = Try(problems, () => OutputTarget.RequireFolder(folder, writes: false));
        if (dataset is not null)
            Try(problems, () => PipelineChecks.RequirePhotos(pipeline, dataset, compares: heads.Count > 0));
        Try(problems, () => SessionFactory.RequireDevice(pipeline.Device));
        var sets = new List<PlannedSet>();
        var (notes, tunings, tuningBytes) = (new List<string>(), new List<string>(), 0L);
        var models = pipeline.Models.Select(m => Try(problems, () => m.Resolve(tools.Models))).OfType<ResolvedModel>().ToList();
        if (Try(problems, () => PipelineChecks.RequireNames(pipeline, models, folder)) && hasFolder)
            Try(problems, () => PipelineChecks.RequireFiles(pipeline, folder, writes: false));
        foreach (var model in models)
        {
            if (dataset is not null)
            {
                var planned = Try(problems, () => Plan(tools, pipeline, model, dataset, folder, threads, notes).ToList()) ?? [];
                foreach (var set in planned)
                    Try(problems, () => PipelineChecks.RequireColumns(heads, set.Dimension));
                sets.AddRange(planned);
                if (
                    pipeline.Finetune is not null
                    && Try(problems, () => Finetuning.Plan(tools, pipeline.Tune(dataset, model, folder))) is { } tuning
                )
                {
                    tunings.Add(tuning.Line);
                    tuningBytes += BytesToCome(tuning, dataset, model, folder);
                }
            }
        }

        if (pipeline.TunedStaysFloat is { } note)
            notes.Add(note);
        var existing = OutputTarget.NearestParent(Path.GetFullPath(folder));
        // A file in the folder's place was refused above; its disk is shown all the same.
        if (File.Exists(existing))
            existing = Path.GetDirectoryName(existing)!;
        var plan = new PipelinePlan(
            dataset?.Source ?? pipeline.Data.Path,
            dataset?.Entries.Count ?? 0,
            dataset?.Classes.Count ?? 0,
            dataset?.Problems ?? [],
            sets,
            heads.ConvertAll(h => h.Spec.Title),
            Directory.Exists(existing) ? new DriveInfo(existing).AvailableFreeSpace : 0,
            problems
        )
        {
            Notes = notes,
            Tunings = tunings,
            TuningBytes = tuningBytes,
        };
        // Where there is no such drive, the folder was refused above.
        if (Directory.Exists(existing) && plan.BytesNeeded > plan.BytesFree)
            problems.Add(
                FormattableString.Invariant(
                    $"{existing} has {plan.BytesFree / 1e6:0} MB free, the results need {plan.BytesNeeded / 1e6:0} MB"
                )
            );
        return plan;
    }

    /// <summary>What is made, or null and one more problem.</summary>
    private static T? Try<T>(List<string> problems, Func<T> make)
        where T : class
    {
        try
        {
            return make();
        }
        catch (TransferException e)
        {
            problems.Add(e.Message);
            return null;
        }
    }

    private static bool Try(List<string> problems, Action check) =>
        Try<string>(
            problems,
            () =>
            {
                check();
                return "";
            }
        )
            is not null;

    /// <param name="dataset">Null when the data cannot be read.</param>
    private static List<PipelineHead> HeadsOf(Toolbox tools, Pipeline pipeline, Dataset? dataset, List<string> problems)
    {
        var before = problems.Count;
        var heads = PipelineHeads.Read(tools, pipeline, Add);
        if (dataset is not null)
        {
            PipelineHeads.CheckClasses(heads, dataset.Classes, Add);
            foreach (var head in heads)
                Try(problems, () => PipelineChecks.RequireRows(pipeline, dataset, head));
        }

        // Where heads are wrong already, what is left of them shows nothing.
        if (problems.Count == before)
            Try(problems, () => PipelineChecks.RequireHeads(pipeline, [.. heads.Where(h => h.IsAvailable).Select(h => h.Spec)]));
        return heads;

        void Add(BadInputException fault) => problems.Add(fault.Message);
    }

    private static IEnumerable<PlannedSet> Plan(
        Toolbox tools,
        Pipeline pipeline,
        ResolvedModel model,
        Dataset dataset,
        string folder,
        int threads,
        List<string> notes
    )
    {
        if (pipeline.IsInt8)
        {
            var int8 = tools.Int8(pipeline.Int8(threads, notes.Add));
            var (name, photos, there) = int8.Find(model, dataset, Pipeline.Int8Sets(model, folder));
            if (there is null)
            {
                FloatNetwork.Require(model.File);
                notes.Add(
                    $"int8: {model.Name} is quantized first, on {photos!.Entries.Count} training photos; the time is the float network's"
                );
            }

            // Where it is not there yet, the float model under its name: the time of a network that does not exist cannot be tried.
            model = there ?? model with { Name = name };
        }

        var vectors = dataset.Entries.Count + pipeline.Views * dataset.Entries.Count(e => e.Split == Splits.Train);
        var spec = pipeline.Specify(tools, dataset, model, folder);
        if (pipeline.IsInt8)
            spec = spec with { Device = spec.Device with { Precision = Precision.Fp32 } }; // the model's own weights are of 8 bits
        var cut = spec.OpenModel();
        // The trial runs on this machine's CPU and shows nothing about a GPU.
        double? perPhoto = spec.Device.IsCpu ? TrialSeconds(cut) : null;
        return
        [
            .. spec.Outputs.Select(
                (output, i) =>
                {
                    var there = AlreadyThere(spec, i);
                    var dimension = cut.Outputs[i].Dimension;
                    // All cuts come from one pass: its time is the first set's.
                    var seconds = (i == 0 ? vectors - there : 0) * perPhoto / threads;
                    return new PlannedSet(
                        model.Name,
                        $"{output.Request.Cut} {output.Request.Pooling}",
                        output.Folder,
                        dimension,
                        vectors,
                        there,
                        vectors * (dimension * 4L + RowBytes),
                        seconds
                    );
                }
            ),
        ];
    }

    private static long BytesToCome(TuningPlan tuning, Dataset dataset, ResolvedModel model, string folder)
    {
        var photos = dataset.Entries.Count;
        var rows = photos + (tuning.Cache.Views?.Count ?? 0) * dataset.Entries.Count(e => e.Split == Splits.Train);
        var bytes = Math.Max(0, rows - AlreadyThere(tuning.Cache, 0)) * (tuning.RowBytes + RowBytes);
        // The tuned backbone, and its classifier, are about as large as the backbone.
        return File.Exists(Pipeline.TunedFile(model, folder))
            ? bytes
            : bytes + 2 * new FileInfo(model.File).Length + photos * (tuning.VectorBytes + RowBytes);
    }

    /// <summary>Vectors of an output's recipe in its folder or in the one beside it that a run would use.</summary>
    private static int AlreadyThere(ExtractionSpec spec, int output)
    {
        var (folder, recipe) = (spec.Outputs[output].Folder, spec.RecipeOf(output));
        // A set of another recipe is left alone, and the run then uses the folder beside it.
        foreach (var candidate in new[] { folder, FeatureSets.Beside(folder, recipe) })
        {
            if (
                File.Exists(Path.Combine(candidate, FeatureManifest.FileName))
                && FeatureSet.Open(candidate, spec.Table) is var set
                && set.Recipe.Differences(recipe).Count == 0
            )
                return set.Rows;
        }

        return 0;
    }

    /// <summary>Seconds per photo on one thread, of the second of two runs.</summary>
    private static double TrialSeconds(CutModel cut)
    {
        using var session = SessionFactory.Create(cut, new());
        using var runner = new BackboneRunner(session, cut, cut.AtMost(TrialBatch));
        var seconds = 0.0;
        // The first run also allocates, so the second one counts.
        for (var i = 0; i < 2; i++)
        {
            var clock = Stopwatch.StartNew();
            runner.Run();
            seconds = clock.Elapsed.TotalSeconds;
        }

        return seconds / runner.Batch;
    }
}
