using System.Diagnostics;
using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Features.Extraction;

namespace TransferPipeline.Pipelines;

/// <summary>One feature set that a run would make or bring up to date.</summary>
/// <param name="Vectors">Photos and their views.</param>
/// <param name="There">Vectors of the same recipe that an earlier run left.</param>
/// <param name="Bytes">On disk when complete.</param>
/// <param name="Seconds">Estimate for what is missing, from a trial of the backbone on this machine.</param>
public sealed record PlannedSet(string Model, string Cut, string Folder, int Dimension, int Vectors, int There, long Bytes, double Seconds);

/// <summary>What a run would do, found without doing it.</summary>
/// <param name="Problems">What would make it fail: a file that is missing, a head that is not available, too little disk.</param>
public sealed record PipelinePlan(
    string Data, int Photos, int Classes, IReadOnlyList<DatasetProblem> DataProblems, IReadOnlyList<PlannedSet> Sets, IReadOnlyList<string> Heads,
    long BytesFree, IReadOnlyList<string> Problems)
{
    /// <summary>Photos in the batch of the trial.</summary>
    private const int TrialBatch = 4;

    public long BytesNeeded => Sets.Sum(s => s.Bytes * (s.Vectors - s.There) / Math.Max(1, s.Vectors));

    public double Seconds => Sets.Sum(s => s.Seconds);

    public static PipelinePlan Make(Toolbox tools, Pipeline pipeline, string folder, int threads)
    {
        var problems = new List<string>();
        using var dataset = DatasetReader.Open(pipeline.Data, tools.PhotoTable.Value);
        var heads = HeadTitles(tools, pipeline, dataset.Classes, problems);
        var vectors = dataset.Entries.Count + pipeline.Views * dataset.Entries.Count(e => e.Split == Splits.Train);
        var sets = new List<PlannedSet>();
        foreach (var name in pipeline.Models)
        {
            try
            {
                sets.AddRange(Plan(tools, pipeline, tools.Models.Resolve(name), dataset, folder, vectors, threads));
            }
            catch (TransferException e)
            {
                problems.Add(e.Message);
            }
        }

        var existing = Path.GetFullPath(folder);
        while (!Directory.Exists(existing))
            existing = Path.GetDirectoryName(existing)!;
        var plan = new PipelinePlan(dataset.Source, dataset.Entries.Count, dataset.Classes.Count, dataset.Problems, sets, heads, new DriveInfo(existing).AvailableFreeSpace, problems);
        if (plan.BytesNeeded > plan.BytesFree)
            problems.Add(FormattableString.Invariant($"{existing} has {plan.BytesFree / 1e6:0} MB free, the feature sets need {plan.BytesNeeded / 1e6:0} MB"));
        return plan;
    }

    private static List<string> HeadTitles(Toolbox tools, Pipeline pipeline, IReadOnlyList<string> classes, List<string> problems)
    {
        var heads = new List<string>();
        foreach (var (step, optional) in pipeline.Heads)
        {
            try
            {
                var spec = Evaluation.HeadSpec.Create(tools.Trainer(step.Name), step.Options);
                heads.Add(spec.Title);
                spec.CheckClasses(classes);
                if (spec.Trainer.Unavailable is { } reason && !optional)
                    problems.Add($"{step.Where}: {step.Name} is not available: {reason}");
            }
            catch (UsageException e)
            {
                problems.Add($"{step.Where}: {e.Message}");
            }
        }

        return heads;
    }

    private static IEnumerable<PlannedSet> Plan(Toolbox tools, Pipeline pipeline, ResolvedModel model, Dataset dataset, string folder, int vectors, int threads)
    {
        var outputs = pipeline.Cuts.Select(cut => new ExtractionOutput(cut, Path.Combine(folder, "features", FeatureExtraction.FolderName(model, cut)))).ToList();
        var job = new FeatureExtraction
        {
            Tools = tools,
            Dataset = dataset,
            Model = model,
            Outputs = outputs,
            Preprocessing = pipeline.Preprocessing,
            Extract = pipeline.Extract,
            Augment = pipeline.Augment,
            Views = pipeline.Views,
            Seed = pipeline.Seed,
        }.CreateJob();
        var cut = job.OpenModel();
        var perPhoto = TrialSeconds(cut);
        return
        [
            .. outputs.Select((output, i) =>
            {
                var there = AlreadyThere(tools, output.Folder, job.RecipeOf(i));
                var dimension = cut.Outputs[i].Dimension;
                // All cuts come from one pass: its time is the first set's.
                var seconds = i == 0 ? (vectors - there) * perPhoto / threads : 0;
                return new PlannedSet(model.Name, $"{output.Request.Cut} {output.Request.Pooling}", output.Folder, dimension, vectors, there, vectors * (dimension * 4L + 200), seconds);
            }),
        ];
    }

    /// <summary>Vectors of this recipe in the folder or in the one beside it that a run would use.</summary>
    private static int AlreadyThere(Toolbox tools, string folder, Recipe recipe)
    {
        foreach (var candidate in new[] { folder, FeatureSets.Beside(folder, recipe) })
        {
            if (File.Exists(Path.Combine(candidate, FeatureManifest.FileName)) && FeatureSet.Open(candidate, tools.Table.Value) is var set && set.Recipe.Differences(recipe).Count == 0)
                return set.Rows;
        }

        return 0;
    }

    /// <summary>Seconds a photo on one thread, of the second of two runs.</summary>
    private static double TrialSeconds(CutModel cut)
    {
        using var session = SessionFactory.Create(cut, new());
        using var runner = new BackboneRunner(session, cut, Math.Min(TrialBatch, cut.MaxBatch));
        var seconds = 0.0;
        for (var i = 0; i < 2; i++)
        {
            var clock = Stopwatch.StartNew();
            runner.Run();
            seconds = clock.Elapsed.TotalSeconds;
        }

        return seconds / runner.Batch;
    }
}
