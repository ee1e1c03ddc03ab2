using TransferPipeline.Evaluation;

namespace TransferPipeline.Reports;

/// <summary>What a page shows of a comparison: all of it, or so much that a page with many classes stays small enough to send.</summary>
/// <param name="Shown">What the page and its data block hold; its figures are those of the whole comparison.</param>
/// <param name="ConfusedPairs">Per head the most frequent confusions, counted over all classes.</param>
/// <param name="LeftOut">In words what the JSON has beyond it.</param>
internal sealed record ReportContent(
    Comparison Shown,
    IReadOnlyList<IReadOnlyList<ConfusedPair>> ConfusedPairs,
    IReadOnlyList<string> LeftOut
)
{
    /// <summary>Largest number of classes whose confusion matrix can be read.</summary>
    public const int MatrixClasses = 40;

    private const int Pairs = 30;
    private const int ClassRows = 2000;
    private const int FewestClassRows = 10;
    private const int Pairwise = 2000;

    public static ReportContent Of(Comparison comparison)
    {
        var classes = comparison.Data.Classes.Count;
        var leftOut = new List<string>();
        var heads = comparison.Heads;
        // Before any matrix is left out, since the pairs are counted from it.
        var pairs = heads.Select(h => Confused(h, comparison.Data.Classes)).ToArray();
        if (classes > MatrixClasses)
        {
            leftOut.Add("confusion matrices");
            heads = [.. heads.Select(h => h with { Confusion = [] })];
        }

        if ((long)classes * heads.Count > ClassRows)
        {
            var most = Math.Max(FewestClassRows, ClassRows / heads.Count);
            leftOut.Add($"figures of all but the {most} hardest classes of each head");
            heads = [.. heads.Select(h => h with { PerClass = [.. h.PerClass.OrderBy(c => double.IsNaN(c.F1) ? 2 : c.F1).Take(most)] })];
        }

        var tests = comparison.Tests;
        if (tests.Count > Pairwise)
        {
            leftOut.Add("tests of pairs without the best head");
            // These are the tests that the details of each head show.
            var best = Ranking.Of(comparison)[0].Index;
            tests = [.. tests.Where(t => t.First == best || t.Second == best)];
        }

        return new(comparison with { Heads = heads, Tests = tests }, pairs, leftOut);
    }

    private static ConfusedPair[] Confused(HeadResult head, IReadOnlyList<string> classes) =>
        [
            .. head
                .Confusion.SelectMany((row, truth) => row.Select((count, predicted) => (truth, predicted, count)))
                .Where(c => c.truth != c.predicted && c.count > 0)
                .OrderByDescending(c => c.count)
                .ThenBy(c => c.truth)
                .ThenBy(c => c.predicted)
                .Take(Pairs)
                .Select(c => new ConfusedPair(classes[c.truth], classes[c.predicted], c.count, head.Confusion[c.truth].Sum())),
        ];
}

/// <param name="Support">Photos whose true class it is.</param>
internal sealed record ConfusedPair(string Label, string Predicted, int Count, int Support);
