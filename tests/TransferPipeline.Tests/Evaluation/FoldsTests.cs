using TransferPipeline.Evaluation;

namespace TransferPipeline.Tests.Evaluation;

public sealed class FoldsTests
{
    private static readonly int[] Classes =
    [
        .. Enumerable
            .Range(0, 211)
            .Select(i =>
                i % 7 == 0 ? 2
                : i % 3 == 0 ? 1
                : 0
            ),
    ];

    [Fact]
    public void Stratified_Seeded_KeepsTheCountsAndDrawsTheMembers()
    {
        var (ordered, drawn, again) = (
            Folds.Stratified(Classes, 5, null),
            Folds.Stratified(Classes, 5, 1),
            Folds.Stratified(Classes, 5, 1)
        );
        Assert.Equal(drawn, again);
        Assert.NotEqual(ordered, drawn);
        Assert.Equal(Counts(ordered), Counts(drawn));
    }

    [Fact]
    public void StratifiedByGroup_Groups_StayTogetherAndClassesBalanced()
    {
        // Every tenth item begins a group of up to four neighbours; the others are alone.
        int[] groups = [.. Enumerable.Range(0, Classes.Length).Select(i => i % 10 < 4 ? i / 10 * 10 : i)];
        var folds = Folds.StratifiedByGroup(Classes, groups, 5, 3);
        Assert.All(groups.Zip(folds).GroupBy(p => p.First), g => Assert.Single(g.Select(p => p.Second).Distinct()));
        Assert.All(Counts(folds).Zip(Counts(Folds.Stratified(Classes, 5, null))), pair => Assert.InRange(pair.First - pair.Second, -2, 2));
    }

    [Fact]
    public void StratifiedByGroup_WithoutGroups_GivesStratifiedCounts() =>
        Assert.Equal(
            Counts(Folds.Stratified(Classes, 4, null)).Order(),
            Counts(Folds.StratifiedByGroup(Classes, Enumerable.Range(0, Classes.Length).ToArray(), 4, 9)).Order()
        );

    private static int[] Counts(int[] folds) =>
        [.. Enumerable.Range(0, 5).SelectMany(f => Enumerable.Range(0, 3).Select(k => Classes.Zip(folds).Count(p => p == (k, f))))];
}
