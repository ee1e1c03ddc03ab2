using TransferPipeline.Features;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>
/// Whether a head trained on one feature set predicts the same on another one of the same photos (CPU and CUDA, fp32 and fp16).
/// </summary>
/// <param name="Photos">Photos evaluated: those that are not in split train, or all when there are no others.</param>
/// <param name="Agreement">Share of them for which the predictions on both sets are the same.</param>
/// <param name="AccuracyA">Accuracy on the set that it was trained on.</param>
/// <param name="AccuracyB">Accuracy on the other set.</param>
/// <param name="LargestProbabilityDifference">Over all photos and classes.</param>
internal sealed record HeadAgreement(
    string Head,
    int Photos,
    double Agreement,
    double AccuracyA,
    double AccuracyB,
    double LargestProbabilityDifference
)
{
    /// <summary>Why no head can be trained on these photos; null when one can.</summary>
    public static string? Obstacle(FeatureData data)
    {
        if (data.Classes.Count < 2)
            return $"all photos are of one class, '{data.Classes.FirstOrDefault()}'";
        var train = data.RowsOf(ComparisonOptions.Train);
        var there = (train.Length > 0 ? train : Enumerable.Range(0, data.Y.Length)).Select(r => data.Y[r]).ToHashSet();
        var missing = Enumerable.Range(0, data.Classes.Count).Where(k => !there.Contains(k)).ToList();
        return missing.Count == 0 ? null : $"class '{data.Classes[missing[0]]}' has no photo to train on that both sets have";
    }

    /// <summary>Trains the head on the training photos of <paramref name="a"/> and evaluates the vectors of both sets with it.</summary>
    /// <exception cref="BadInputException">The sets do not hold the same photos, or differ in their dimension.</exception>
    public static HeadAgreement Measure(FeatureSource a, FeatureSource b, HeadSpec head, int seed = 0, int threads = 1)
    {
        if (a.Data.X.Columns != b.Data.X.Columns)
            Throw.BadInput(
                $"feature sets {a.Summary.Folder} and {b.Summary.Folder} differ in dimension: {a.Data.X.Columns} and {b.Data.X.Columns}"
            );
        var views = FeatureView.Align([a, b]);
        var all = Enumerable.Range(0, views[0].PhotoCount).ToArray();
        var train = views[0].PhotosOf(ComparisonOptions.Train) is { Length: > 0 } split ? split : all;
        // Agreement is measured, not accuracy:
        // where there are no other photos, those that were trained on serve as well.
        var evaluated = all.Except(train).ToArray() is { Length: > 0 } others ? others : all;
        var trained = head.Trainer.Train(
            views[0].Training(train, []),
            head.Options,
            new TrainingContext { Seed = seed, Threads = threads }
        );
        var (first, second) = (views[0].Evaluate(trained, evaluated, threads), views[1].Evaluate(trained, evaluated, threads));
        var same = first.Predicted.Zip(second.Predicted).Count(static p => p.First == p.Second);
        var largest = first.Probabilities.Zip(second.Probabilities).Max(static p => Math.Abs((double)p.First - p.Second));
        return new(head.Title, evaluated.Length, (double)same / evaluated.Length, first.Accuracy, second.Accuracy, largest);
    }
}
