namespace TransferPipeline.Evaluation;

/// <summary>What the vectors show of the data: near-duplicates, suspect labels, outliers.</summary>
internal static class DataChecker
{
    private const int MostPairs = 200;

    /// <param name="best">The best head: its settings give the out-of-fold probabilities, its predictions the accuracy without
    /// duplicates.</param>
    public static DataCheck Run(EvaluatedHead best, Protocol protocol, IReadOnlyList<DuplicatePair> pairs, ComparisonOptions options)
    {
        var view = best.Fitter.View;
        var (without, withDuplicates) = WithoutDuplicates(best, protocol, pairs);
        var photos = Enumerable.Range(0, view.PhotoCount).ToArray();
        // Photos of every split can have a wrong label. Since all are evaluated, none is left for a head to watch.
        var outOfFold = best.Fitter.OutOfFold(photos, [], best.Head.Options, options.Threads);
        return new()
        {
            NearDuplicateCosine = options.NearDuplicateCosine,
            NearDuplicateCount = pairs.Count,
            NearDuplicates =
            [
                .. pairs
                    .OrderByDescending(p => p.Cosine)
                    .ThenBy(p => p.First)
                    .ThenBy(p => p.Second)
                    .Take(MostPairs)
                    .Select(p => Describe(view, p)),
            ],
            EvaluatedWithDuplicate = withDuplicates,
            AccuracyWithDuplicates = best.All.Accuracy,
            AccuracyWithoutDuplicates = without,
            SuspectLabelCount = SuspectLabels.Find(outOfFold).Count,
            SuspectLabels = SuspectLabels.Describe(view, outOfFold),
            SuspectLabelsBy = best.ShortName,
            Outliers = Outliers.Find(view, options.Threads),
        };
    }

    /// <summary>
    /// Accuracy on the evaluated photos that have no near-duplicate among those trained on, and the number of those that have one.
    /// </summary>
    private static (double Accuracy, int WithDuplicates) WithoutDuplicates(
        EvaluatedHead best,
        Protocol protocol,
        IReadOnlyList<DuplicatePair> pairs
    )
    {
        // In both directions: either photo of a pair can be the evaluated one.
        var twins = pairs.Concat(pairs.Select(p => new DuplicatePair(p.Second, p.First, p.Cosine))).ToLookup(p => p.First, p => p.Second);
        var (clean, hits, withDuplicates) = (0, 0, 0);
        for (var part = 0; part < protocol.Parts.Count; part++)
        {
            var train = protocol.Parts[part].Train.ToHashSet();
            var evaluated = best.Parts[part];
            for (var i = 0; i < evaluated.Count; i++)
            {
                if (twins[evaluated.Photos[i]].Any(train.Contains))
                {
                    withDuplicates++;
                    continue;
                }

                clean++;
                hits += evaluated.Predicted[i] == evaluated.Truth[i] ? 1 : 0;
            }
        }

        return (clean == 0 ? double.NaN : (double)hits / clean, withDuplicates);
    }

    private static NearDuplicate Describe(FeatureView view, DuplicatePair pair)
    {
        var (a, b) = (view.Photo(pair.First), view.Photo(pair.Second));
        return new(a.Path, a.Split, a.Label, b.Path, b.Split, b.Label, pair.Cosine);
    }
}
