using System.Diagnostics;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Jobs;

/// <summary>Trains a head on split train of a feature set that is larger than memory, part by part.</summary>
internal static class StreamedTraining
{
    /// <param name="scratch">Folder with room for the vectors of split train, four bytes per value, while the fit lasts; without it each
    /// pass decodes them again.</param>
    /// <returns>The head, the time of its fit, and the first part's rows, enough to replay photos.</returns>
    /// <exception cref="UsageException">The head cannot be streamed, or a value is swept.</exception>
    /// <exception cref="BadInputException">The set has no photo in split train, or its vectors cannot be trained on.</exception>
    public static (IHead Head, double Seconds, FeatureData FirstPart) Run(
        FeatureSet set,
        IFeatureTable table,
        HeadSpec spec,
        string scratch,
        TrainingContext context
    )
    {
        if (spec.Sweeps.Count > 0)
            throw new UsageException(
                $"{spec.Title}: a streamed fit takes fixed values; choose them with transfer compare on a part of the photos"
            );
        var classes = set.ClassIndices();
        string[] files = [.. set.Manifest.Parts.Select(p => Path.Combine(set.Folder, p.File))];
        set.RequireIntact();
        // Hashing the parts is not part of the fit.
        var clock = Stopwatch.StartNew();
        spec.CheckClasses(set.Manifest.Classes);
        var stream = new FeatureTableStream(
            table,
            files,
            (label, split) =>
            {
                set.RequireKnown(classes, label, split);
                return split == Splits.Train ? classes[label] : -1;
            },
            set.Dimension
        )
        {
            ClassNames = set.Manifest.Classes,
        };
        if (stream.Labels.Count == 0)
            throw new BadInputException($"{set.Folder} has no photo in split train");
        if (classes.Count < 2)
            throw new BadInputException(
                $"{set.Folder}: all photos are of one class, '{set.Manifest.Classes.FirstOrDefault()}'; a classifier needs at least two"
            );
        if (Enumerable.Range(0, classes.Count).Except(stream.Labels).ToArray() is [var missing, ..])
            throw new BadInputException($"class '{set.Manifest.Classes[missing]}' has no photo in split train: a head cannot learn it");
        var trainer = StreamingTrainer.Require(spec.Trainer);
        using var ordered = InOrder(set, stream, scratch, context);
        // A head that reads its rows once, such as ridge, gains nothing from a decoded copy of them.
        using var decoded =
            ordered is not null || trainer.StreamsOnce(spec.Options) ? null : new ScratchStream(stream, scratch, context.Warn);
        var head = trainer.TrainStream(ordered ?? decoded ?? (IRowStream)stream, classes.Count, spec.Options, context);
        var seconds = clock.Elapsed.TotalSeconds;
        var rows = table.ReadRows(files[0]);
        var x = new FeatureMatrix(rows.Count, set.Dimension);
        table.ReadVectors(files[0], x, 0);
        return (
            head,
            seconds,
            new()
            {
                X = x,
                Y = [.. rows.Select(r => classes[r.Label])],
                Classes = set.Manifest.Classes,
                Rows = rows,
            }
        );
    }

    /// <summary>The rows in the dataset's order where the parts have another one; null where they have it, or without room.</summary>
    private static OrderedStream? InOrder(FeatureSet set, FeatureTableStream stream, string scratch, TrainingContext context)
    {
        int[] ranks = [.. set.Ranks.SelectMany(part => part)];
        if (!OrderedStream.IsNeeded(ranks))
            return null;
        try
        {
            return new(stream, ranks, scratch);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            context.Warn(
                $"{set.Folder} was extracted in several runs, and there is no room in {scratch} to put its vectors in order "
                    + $"({e.OneLine()}): the last bits may differ from those of a set of one run"
            );
            return null;
        }
    }
}
