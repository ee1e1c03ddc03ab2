using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Evaluation;

/// <summary>Accuracy against the number of training photos per class.</summary>
internal static class FewShot
{
    /// <summary>
    /// One curve per head, with the settings that were chosen on the whole training part. Draw d takes the first n photos of each class in
    /// an order of its own, so larger n contain the smaller ones, and all heads see the same photos. With folds, draw d uses part d with
    /// the settings chosen there: those of the head that is kept were chosen among the photos that evaluate the part. A
    /// head that cannot be trained on so few photos has no point there, which is warned of: the other heads' curves are still of use.
    /// </summary>
    public static FewShotCurve[] Run(IReadOnlyList<EvaluatedHead> heads, Protocol protocol, ComparisonOptions options, Action<string> warn)
    {
        if (heads.Count == 0)
        {
            warn("no few-shot curve: no head is left that can be trained on a part of the photos");
            return [];
        }

        var perClass = options.FewShotPerClass.Distinct().Order().ToArray();
        var draws = options.FewShotDraws;
        var tasks = perClass.Length * draws;
        // By head, then photos per class, then draw: the draws of one point lie side by side.
        var accuracies = new double[heads.Count * tasks];
        var failures = new string?[accuracies.Length];
        TaskQueue.Run(
            accuracies.Length,
            options.Threads,
            (task, threads) =>
            {
                var (head, n, draw) = (heads[task / tasks], perClass[task % tasks / draws], task % draws);
                var index = draw % protocol.Parts.Count;
                var (part, settings) = (protocol.Parts[index], head.InParts[index].Options);
                var train = Draw(part.Train, head.Fitter.View.Y, n, options.Seed, draw);
                try
                {
                    var fitted = head.Fitter.Train(train, Fit(settings, n), threads);
                    accuracies[task] = head.Fitter.View.Evaluate(fitted, part.Test, threads).Accuracy;
                }
                catch (TransferException e) when (HeadFitter.IsOfHead(e))
                {
                    (accuracies[task], failures[task]) = (double.NaN, e.Message);
                }
            },
            options.Cancellation
        );
        WarnOfSmallClasses(heads[0].Fitter.View, perClass, protocol, warn);
        Warn(heads, perClass, draws, failures, warn);
        return
        [
            .. heads.Select(
                (head, h) =>
                    new FewShotCurve(
                        head.Title,
                        perClass,
                        [.. perClass.Select((_, i) => Intervals.Means(accuracies.AsSpan((h * tasks) + (i * draws), draws)))],
                        draws
                    )
            ),
        ];
    }

    /// <summary>A class that has fewer photos gives all it has, which a point's place on the axis does not say.</summary>
    private static void WarnOfSmallClasses(FeatureView view, int[] perClass, Protocol protocol, Action<string> warn)
    {
        var (k, least) = protocol.Parts.SelectMany(part => part.Train.CountBy(p => view.Y[p])).MinBy(c => c.Value);
        if (perClass.Where(n => n > least).ToArray() is { Length: > 0 } beyond)
            warn(
                $"few-shot curve: class '{view.Data.Classes[k]}' has {least} {(least == 1 ? "photo" : "photos")} to train on, so at "
                    + $"{string.Join(", ", beyond)} per class it gives only those"
            );
    }

    private static void Warn(IReadOnlyList<EvaluatedHead> heads, int[] perClass, int draws, string?[] failures, Action<string> warn)
    {
        for (var h = 0; h < heads.Count; h++)
        {
            var first = h * perClass.Length * draws;
            int[] failed =
            [
                .. Enumerable
                    .Range(0, perClass.Length)
                    .Where(i => failures.AsSpan(first + (i * draws), draws).ContainsAnyExcept((string?)null)),
            ];
            if (failed.Length > 0)
                warn(
                    $"{heads[h].ShortName}: no point of the few-shot curve at {string.Join(", ", failed.Select(i => perClass[i]))} per "
                        + $"class: {failures.Skip(first).First(f => f is not null)}"
                );
        }
    }

    private static int[] Draw(int[] train, int[] y, int perClass, int seed, int draw) =>
        [
            .. train
                .GroupBy(p => y[p])
                .SelectMany(g =>
                {
                    var photos = g.ToArray();
                    // The draw in the upper half, the class in the lower one: no two of them share a stream.
                    // The constant keeps away from the streams of folds, which are the class numbers.
                    RandomStream.OfDraws(seed, ((ulong)draw << 32) + (ulong)g.Key + 0x5407).Shuffle<int>(photos);
                    return photos.Take(perClass);
                })
                .Order(),
        ];

    /// <summary>No more neighbours vote than a class has photos: else other classes outvote it.</summary>
    private static HeadOptions Fit(HeadOptions options, int perClass) =>
        options is Knn knn && knn.K > perClass ? knn with { K = perClass } : options;
}
