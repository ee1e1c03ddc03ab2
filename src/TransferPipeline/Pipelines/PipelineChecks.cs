using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Jobs;
using TransferPipeline.Platform;

namespace TransferPipeline.Pipelines;

/// <summary>What a run refuses before it computes anything, and a plan lists.</summary>
internal static class PipelineChecks
{
    /// <summary>Refuses photos that lack what the evaluation or the proof of int8 backbones needs.</summary>
    /// <param name="compares">False where there is no head: a pipeline that exports features alone needs no split.</param>
    /// <exception cref="BadInputException">A split or photos of a class are missing.</exception>
    /// <exception cref="UsageException">There are more folds than photos of any class.</exception>
    public static void RequirePhotos(Pipeline pipeline, Dataset dataset, bool compares)
    {
        if (pipeline.Quantize is { } quantize)
        {
            using var sample = new DatasetSample(dataset, quantize.Proof.Photos);
            QuantizationTrial.HeldOutSplit(sample);
        }

        if (!compares)
            return;
        if (dataset.Classes.Count < 2)
            throw new BadInputException(
                $"{dataset.Source}: all photos are of one class, '{dataset.Classes.FirstOrDefault()}'; a classifier needs at least two"
            );
        if (pipeline.Evaluation.Folds > 0)
            RequireFoldable(pipeline, dataset);
        else
            RequireSplits(pipeline.Evaluation, dataset);
    }

    private static void RequireSplits(ComparisonOptions evaluation, Dataset dataset)
    {
        var there = dataset.Entries.CountBy(e => e.Split).ToDictionary();
        var found = string.Join(", ", there.Select(s => $"{s.Key}: {s.Value}"));
        if (((string[])[Splits.Train, evaluation.ScoreSplit]).FirstOrDefault(s => !there.ContainsKey(s)) is { } missing)
        {
            var cure =
                missing == Splits.Train
                    ? "train on folds"
                    : $"name another one under evaluation.on, set data.{missing}-share where the data has no splits of its own, or "
                        + "use folds";
            throw new BadInputException(
                $"{dataset.Source} has no photos in split {missing} (it has {found}), which the evaluation needs; {cure} "
                    + "(evaluation.protocol: k-fold)"
            );
        }

        if (evaluation.ChooseBy == ChooseBy.Validation && !there.ContainsKey(Splits.Validation))
            throw new BadInputException(
                $"{dataset.Source} has no photos in split {Splits.Validation} to choose values by (it has {found}); set "
                    + "evaluation.choose-by: inner-folds"
            );
        var counts = CountsOf(dataset, split => split == Splits.Train);
        if (Array.IndexOf(counts, 0) is >= 0 and var empty)
            throw new BadInputException(
                $"{dataset.Source}: class '{dataset.Classes[empty]}' has no photo in split {Splits.Train}: a head cannot learn it"
            );
    }

    private static void RequireFoldable(Pipeline pipeline, Dataset dataset)
    {
        // As the comparison takes them: all but test, or test where there is no other.
        var counts = CountsOf(dataset, split => split != Splits.Test);
        try
        {
            Protocol.RequireFoldable(
                pipeline.Evaluation.Folds,
                dataset.Classes,
                counts.All(c => c == 0) ? CountsOf(dataset, _ => true) : counts
            );
        }
        catch (UsageException e)
        {
            throw new BadInputException($"{pipeline.Place("evaluation.folds")}: {e.Message}", e);
        }

        if (pipeline.Predictions is not null && dataset.Entries.All(e => e.Split != pipeline.PredictedSplit))
            throw new BadInputException(
                $"{pipeline.Place("predictions")}: with folds the exported head is trained on all photos but those of split "
                    + $"{Splits.Test}, and {dataset.Source} has none: set data.test-share where the data has no splits of its own, or "
                    + "evaluation.protocol: split"
            );
    }

    /// <summary>Refuses a head that cannot be trained on as few photos as there are, which would show after the extraction.</summary>
    public static void RequireRows(Pipeline pipeline, Dataset dataset, PipelineHead head) =>
        ErrorPlace.Add(head.Where, () => head.Spec.RequirePossible(MostRows(pipeline, dataset), int.MaxValue));

    /// <summary>The same of the length of the vectors.</summary>
    public static void RequireColumns(IEnumerable<PipelineHead> heads, int columns)
    {
        foreach (var head in heads)
            ErrorPlace.Add(head.Where, () => head.Spec.RequirePossible(int.MaxValue, columns));
    }

    /// <summary>Rows of the smallest training part, if all photos can be read; views are rows too.</summary>
    private static int MostRows(Pipeline pipeline, Dataset dataset)
    {
        var train = dataset.Entries.Count(e => e.Split == Splits.Train);
        var rows = train;
        if (pipeline.Evaluation.Folds is > 0 and var folds)
        {
            var all = dataset.Entries.Count(e => e.Split != Splits.Test) is > 0 and var some ? some : dataset.Entries.Count;
            // The largest of the folds leaves the fewest.
            rows = all - (int)Math.Ceiling((double)all / folds);
        }

        return (int)Math.Min(int.MaxValue, rows + ((long)pipeline.Views * train));
    }

    private static int[] CountsOf(Dataset dataset, Func<string, bool> counts)
    {
        var of = dataset.Entries.Where(e => counts(e.Split)).CountBy(e => e.Label).ToDictionary();
        return [.. dataset.Classes.Select(c => of.GetValueOrDefault(c))];
    }

    /// <summary>Refuses heads of which none can be trained here, and an export that none of them allows.</summary>
    /// <param name="available">Those of the pipeline's heads that can be trained here.</param>
    /// <exception cref="BadInputException">With the reason.</exception>
    public static void RequireHeads(Pipeline pipeline, IReadOnlyList<HeadSpec> available)
    {
        if (pipeline.Heads.Count == 0)
            return;
        if (available.Count == 0 && (pipeline.FeaturesExport is null || pipeline.Export is not null))
            throw new BadInputException(
                $"{pipeline.Place("heads")}: none of {string.Join(", ", pipeline.Heads.Select(h => h.Step.Name).Distinct())} can be used "
                    + "here; add one that can, such as softmax"
            );
        // A fine-tuning adds a head that can always be written.
        if (pipeline.Export is not { Head: var wanted } || (wanted == ExportSection.Best && pipeline.Finetune is not null))
            return;
        var candidates = available.Where(h => wanted == ExportSection.Best || h.Trainer.Name == wanted).ToList();
        if (candidates.Count == 0)
            throw new BadInputException(
                $"{pipeline.Place("export")}: the head '{wanted}' is optional and cannot be used here; choose another one"
            );
        if (candidates.TrueForAll(h => h.Trainer.NotExportable is not null))
            throw new BadInputException(
                $"{pipeline.Place("export")}: {candidates[0].Trainer.NotExportable}; leave export out, or add a head that can be written"
            );
    }

    /// <summary>Refuses results that cannot be written, before the work.</summary>
    /// <param name="writes">As of <see cref="OutputTarget.RequireFile"/>.</param>
    /// <exception cref="JobFailedException">A file cannot be written.</exception>
    public static void RequireFiles(Pipeline pipeline, string folder, bool writes)
    {
        foreach (var (_, file) in Results(pipeline, folder))
            OutputTarget.RequireFile(file, writes);
    }

    /// <summary>Refuses names by which one result, or a backbone, would be lost to another.</summary>
    /// <exception cref="BadInputException">A backbone is listed twice, two results are one file, or one is a folder.</exception>
    public static void RequireNames(Pipeline pipeline, IReadOnlyList<ResolvedModel> models, string folder)
    {
        if (models.GroupBy(m => m.File, FileComparer).FirstOrDefault(g => g.Count() > 1) is { } same)
            throw new BadInputException($"{pipeline.Place("model")}: {same.Key} is listed twice; leave one out");
        if (pipeline.Finetune is not null && models.GroupBy(m => m.Name, FileComparer).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new BadInputException(
                $"{pipeline.Place("model")}: {string.Join(" and ", twice.Select(m => m.File))} have one name, '{twice.Key}', by which "
                    + "tuned files are named; rename one, or leave it out"
            );
        var results = new List<(string Key, string File)> { ("comparison", Path.Combine(folder, PipelineOutput.ComparisonFile)) };
        if (pipeline.Finetune is not null)
            results.AddRange(
                models.SelectMany(m =>
                    new[] { ("finetune", Pipeline.TunedFile(m, folder)), ("finetune", Pipeline.TunedClassifier(m, folder)) }
                )
            );
        foreach (var (key, file) in Results(pipeline, folder))
        {
            if (Directory.Exists(file))
                throw new BadInputException($"{pipeline.Place(key)}: {file} is a folder, expected the name of a file");
            if (results.FirstOrDefault(r => FileComparer.Equals(Path.GetFullPath(r.File), file)) is { Key: { } other })
                throw new BadInputException($"{pipeline.Place(key)}: {file} is also written by '{other}'; choose another name");
            if (models.FirstOrDefault(m => OutputTarget.IsSame(m.File, file)) is not null)
                throw new BadInputException($"{pipeline.Place(key)}: {file} is the backbone itself; choose another name");
            if (OutputTarget.IsSame(pipeline.File, file) || OutputTarget.IsSame(pipeline.Data.Path, file))
                throw new BadInputException($"{pipeline.Place(key)}: {file} is read by this pipeline; choose another name");
            if (Pipeline.OwnFolders(folder).FirstOrDefault(f => FileNames.IsInside(Path.GetFullPath(f), file)) is { } own)
                throw new BadInputException(
                    $"{pipeline.Place(key)}: {file} lies in {own}, whose files belong together; choose another name"
                );
            results.Add((key, file));
        }
    }

    /// <summary>The files that the pipeline names, by their keys.</summary>
    private static IEnumerable<(string Key, string File)> Results(Pipeline pipeline, string folder)
    {
        var named = new List<(string Key, string? Name)>
        {
            ("export", pipeline.Export?.File),
            ("report", pipeline.Report),
            ("predictions", pipeline.Predictions),
        };
        // Of several sets each has its own name behind the prefix, which is known later.
        if (pipeline.FeaturesExport is { } export)
            named.AddRange(FeatureSet.FilesOf(export.Format, export.Prefix).Select(f => ("features-export", (string?)f)));
        return named.Where(n => n.Name is not null).Select(n => (n.Key, Path.GetFullPath(Path.Combine(folder, n.Name!))));
    }

    // Of the file systems that are usual there.
    private static StringComparer FileComparer => OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;
}
