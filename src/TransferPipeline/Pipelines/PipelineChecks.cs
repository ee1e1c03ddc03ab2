using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Jobs;

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
        Protocol.RequireFoldable(
            pipeline.Evaluation.Folds,
            dataset.Classes,
            counts.All(c => c == 0) ? CountsOf(dataset, _ => true) : counts
        );
        if (pipeline.Predictions is not null && dataset.Entries.All(e => e.Split != pipeline.PredictedSplit))
            throw new BadInputException(
                $"{pipeline.File}: predictions: with folds the exported head is trained on all photos but those of split "
                    + $"{Splits.Test}, and {dataset.Source} has none: set data.test-share where the data has no splits of its own, or "
                    + "evaluation.protocol: split"
            );
    }

    private static int[] CountsOf(Dataset dataset, Func<string, bool> counts)
    {
        var of = dataset.Entries.Where(e => counts(e.Split)).CountBy(e => e.Label).ToDictionary();
        return [.. dataset.Classes.Select(c => of.GetValueOrDefault(c))];
    }

    /// <summary>Refuses names by which one result, or a backbone, would be lost to another.</summary>
    /// <exception cref="BadInputException">A backbone is listed twice, two results are one file, or one is a folder.</exception>
    public static void RequireNames(Pipeline pipeline, IReadOnlyList<ResolvedModel> models, string folder)
    {
        if (models.GroupBy(m => m.File, FileComparer).FirstOrDefault(g => g.Count() > 1) is { } same)
            throw new BadInputException($"{pipeline.File}: model: {same.Key} is listed twice; leave one out");
        if (pipeline.Finetune is not null && models.GroupBy(m => m.Name, FileComparer).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new BadInputException(
                $"{pipeline.File}: model: {string.Join(" and ", twice.Select(m => m.File))} have one name, '{twice.Key}', by which tuned "
                    + "files are named; rename one, or leave it out"
            );
        var results = new List<(string Key, string File)> { ("comparison", Path.Combine(folder, PipelineRunner.ComparisonFile)) };
        if (pipeline.Finetune is not null)
            results.AddRange(
                models.SelectMany(m =>
                    new[] { ("finetune", Pipeline.TunedFile(m, folder)), ("finetune", Pipeline.TunedClassifier(m, folder)) }
                )
            );
        foreach (
            var (key, name) in new[]
            {
                ("export", pipeline.Export?.File),
                ("report", pipeline.Report),
                ("predictions", pipeline.Predictions),
            }
        )
        {
            if (name is null)
                continue;
            var file = Path.GetFullPath(Path.Combine(folder, name));
            if (Directory.Exists(file))
                throw new BadInputException($"{pipeline.File}: {key}: {file} is a folder, expected the name of a file");
            if (results.FirstOrDefault(r => FileComparer.Equals(Path.GetFullPath(r.File), file)) is { Key: { } other })
                throw new BadInputException($"{pipeline.File}: {key}: {file} is also written by '{other}'; choose another name");
            if (models.FirstOrDefault(m => OutputTarget.IsSame(m.File, file)) is not null)
                throw new BadInputException($"{pipeline.File}: {key}: {file} is the backbone itself; choose another name");
            results.Add((key, file));
        }
    }

    // Of the file systems that are usual there.
    private static StringComparer FileComparer => OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;
}
