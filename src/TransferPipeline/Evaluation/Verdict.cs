using System.Globalization;

namespace TransferPipeline.Evaluation;

/// <summary>
/// Which head is best and which are tied with it. The best is picked from the same data that the tests use, which alone would make it
/// look better than it is; so Holm's correction runs over all pairs of heads, and whichever pair is compared afterwards, some pair of
/// truly equal heads is called different in at most 5 % of comparisons.
/// </summary>
/// <param name="Tied">For each head whether it is the best or not significantly worse.</param>
/// <param name="PValues">For each head the adjusted p-value of its pair with the best; NaN for the best.</param>
internal sealed record Verdict(int Best, bool[] Tied, double[] PValues, IReadOnlyList<PairedTest> Tests, string Sentence)
{
    private const double Level = 0.05;

    public static Verdict Of(IReadOnlyList<EvaluatedHead> heads, Protocol protocol, ComparisonOptions options)
    {
        // Over folds the mean of their accuracies, which interval and test are about.
        // Folds of unequal size make it differ from the share of all photos.
        var accuracy = heads.Select(h => protocol.IsFolds ? Intervals.MeanAndVariance(h.FoldAccuracies).Mean : h.All.Accuracy).ToArray();
        var best = MostAccurate(accuracy);
        var tests = PairwiseTests(heads, protocol, accuracy);
        var pValues = Enumerable.Repeat(double.NaN, heads.Count).ToArray();
        foreach (var test in tests.Where(t => t.First == best || t.Second == best))
            pValues[test.First == best ? test.Second : test.First] = test.AdjustedPValue;
        // NaN, which the best head itself has, is not below the level: the best is among the tied.
        var tied = Array.ConvertAll(pValues, p => !(p < Level));
        return new(best, tied, pValues, tests, Describe(heads, protocol, options, accuracy, best, tied));
    }

    /// <summary>Place of the highest accuracy, the first of equals: the best head of a verdict, of a page and of an export.</summary>
    public static int MostAccurate(IReadOnlyCollection<double> accuracies)
    {
        // Equal means of different folds can differ in the last bit.
        var least = accuracies.Max() - 1e-12;
        return accuracies.TakeWhile(a => a < least).Count();
    }

    /// <summary>Holm-adjusted over all pairs.</summary>
    private static PairedTest[] PairwiseTests(IReadOnlyList<EvaluatedHead> heads, Protocol protocol, double[] accuracy)
    {
        var pairs = Enumerable
            .Range(0, heads.Count)
            .SelectMany(a => Enumerable.Range(a + 1, heads.Count - a - 1).Select(b => (A: a, B: b)))
            .ToArray();
        var foldSize = protocol.Parts.Average(p => (double)p.Test.Length);
        var discordant = Array.ConvertAll(pairs, p => PairedTests.Discordant(heads[p.A].All, heads[p.B].All));
        double[] raw =
        [
            .. pairs.Zip(
                discordant,
                (p, d) =>
                    protocol.IsFolds
                        ? PairedTests.CorrectedResampledT(
                            heads[p.A].FoldAccuracies,
                            heads[p.B].FoldAccuracies,
                            protocol.TestToTrain,
                            foldSize
                        )
                        : PairedTests.McNemar(d.OnlyFirst, d.OnlySecond)
            ),
        ];
        var adjusted = PairedTests.Holm(raw);
        return
        [
            .. pairs.Select(
                (p, i) =>
                    new PairedTest(
                        p.A,
                        p.B,
                        accuracy[p.A] - accuracy[p.B],
                        discordant[i].OnlyFirst,
                        discordant[i].OnlySecond,
                        raw[i],
                        adjusted[i]
                    )
            ),
        ];
    }

    private static string Describe(
        IReadOnlyList<EvaluatedHead> heads,
        Protocol protocol,
        ComparisonOptions options,
        double[] accuracy,
        int best,
        bool[] tied
    )
    {
        var top = HeadResults.Accuracy(heads[best], protocol);
        var on = protocol.IsFolds ? $"over {protocol.Parts.Count} folds" : $"on {heads[best].All.Count} photos of {options.ScoreSplit}";
        var figures = string.Create(
            CultureInfo.InvariantCulture,
            $"accuracy {accuracy[best]:F3} {on} (95 % interval {top.Low:F3} to {top.High:F3})"
        );
        if (heads.Count == 1)
            return $"{heads[0].ShortName} reaches {figures}.";
        var others = Enumerable.Range(0, heads.Count).Where(h => h != best).OrderByDescending(h => accuracy[h]).ToArray();
        var tiedNames = List([.. others.Where(h => tied[h]).Select(h => heads[h].ShortName)]);
        var worseNames = List([.. others.Where(h => !tied[h]).Select(h => heads[h].ShortName)]);
        var rest = (tiedNames, worseNames) switch
        {
            ("", _) => heads.Count == 2 ? $"{worseNames} is worse" : "all others are worse",
            (_, "") => heads.Count == 2 ? $"tied with it is {tiedNames}" : $"tied with it are all others: {tiedNames}",
            _ => $"tied with it {(others.Count(h => tied[h]) == 1 ? "is" : "are")} {tiedNames}; worse "
                + $"{(others.Count(h => !tied[h]) == 1 ? "is" : "are")} {worseNames}",
        };
        var test = protocol.IsFolds ? "corrected resampled t-test" : "McNemar's exact test";
        return $"{heads[best].ShortName} is best with {figures}; {rest} ({test}, Holm-corrected over all pairs, 5 % level).";
    }

    private static string List(string[] names) =>
        names.Length < 2 ? string.Concat(names) : $"{string.Join(", ", names[..^1])} and {names[^1]}";
}
