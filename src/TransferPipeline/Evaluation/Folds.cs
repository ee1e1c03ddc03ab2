namespace TransferPipeline.Evaluation;

/// <summary>One division of photos: train on some, evaluate others.</summary>
internal sealed record Part(int[] Train, int[] Test);

/// <summary>Stratified folds.</summary>
internal static class Folds
{
    /// <summary>
    /// Fold of each item, with as many of each class in each fold as scikit-learn's StratifiedKFold gives; which of a class's items go
    /// where is drawn by the seed, or is their order when <paramref name="seed"/> is null.
    /// </summary>
    /// <param name="y">Class of each item.</param>
    public static int[] Stratified(ReadOnlySpan<int> y, int folds, int? seed)
    {
        var ranks = RanksByFirstOccurrence(y);
        var counts = new int[ranks.Max() + 1];
        foreach (var rank in ranks)
            counts[rank]++;
        var allocation = Allocation(counts, folds);
        var result = new int[y.Length];
        for (var k = 0; k < counts.Length; k++)
        {
            var assigned = Enumerable.Range(0, folds).SelectMany(f => Enumerable.Repeat(f, allocation[f][k])).ToArray();
            if (seed is { } value)
                RandomStream.OfDraws(value, (ulong)k).Shuffle<int>(assigned);
            var next = 0;
            for (var i = 0; i < ranks.Length; i++)
            {
                if (ranks[i] == k)
                    result[i] = assigned[next++];
            }
        }

        return result;
    }

    /// <summary>
    /// The same with groups kept together: groups of several, the largest first, go where they leave the class counts nearest to
    /// <see cref="Stratified"/>'s; single items then fill up what is missing.
    /// </summary>
    /// <param name="groups">Group number of each item.</param>
    public static int[] StratifiedByGroup(ReadOnlySpan<int> y, ReadOnlySpan<int> groups, int folds, int seed)
    {
        var (classes, items) = (y.ToArray(), groups.ToArray());
        var classCount = classes.Max() + 1;
        var counts = new int[classCount];
        foreach (var k in classes)
            counts[k]++;
        var room = Allocation(counts, folds);
        var byGroup = items.Select((group, item) => (group, item)).GroupBy(p => p.group, p => p.item).Select(g => g.ToArray()).ToArray();
        // OrderByDescending is stable, so groups of equal size keep the order drawn here. No class has this stream.
        RandomStream.OfDraws(seed, ulong.MaxValue).Shuffle<int[]>(byGroup);
        var result = new int[y.Length];
        // The largest first, while every fold has room; placed last, one would overfill whatever fold it got.
        foreach (var group in byGroup.OrderByDescending(g => g.Length))
        {
            var fold = BestFold(room, Array.ConvertAll(group, i => classes[i]));
            foreach (var item in group)
            {
                result[item] = fold;
                room[fold][classes[item]]--;
            }
        }

        return result;
    }

    /// <summary>Parts of the given photos, one per fold.</summary>
    public static Part[] Parts(int[] photos, int[] foldOf, int folds) =>
        [
            .. Enumerable
                .Range(0, folds)
                .Select(f => new Part([.. photos.Where((_, i) => foldOf[i] != f)], [.. photos.Where((_, i) => foldOf[i] == f)])),
        ];

    /// <summary>
    /// StratifiedKFold's counts: the items, sorted by class, are dealt to the folds in turn, so that fold sizes differ by at most one and
    /// so do a class's counts.
    /// </summary>
    private static int[][] Allocation(int[] counts, int folds)
    {
        var allocation = new int[folds][];
        for (var f = 0; f < folds; f++)
            allocation[f] = new int[counts.Length];
        // The position runs on from class to class: starting each class at fold 0 would make the first folds larger.
        var position = 0;
        for (var k = 0; k < counts.Length; k++)
        {
            for (var i = 0; i < counts[k]; i++)
                allocation[position++ % folds][k]++;
        }

        return allocation;
    }

    /// <summary>
    /// The fold that a group overfills least; of equal ones the one with most room for its classes, then most room in all, then the first.
    /// </summary>
    private static int BestFold(int[][] room, int[] classes)
    {
        var needed = classes.CountBy(k => k).ToArray();
        var (best, bestScore) = (0, (long.MinValue, 0, 0));
        for (var f = 0; f < room.Length; f++)
        {
            var (overfill, left) = (0L, 0);
            foreach (var (k, count) in needed)
            {
                var rest = room[f][k] - count;
                // Squared: one photo too many in each of two classes is better than two in one class.
                overfill += rest < 0 ? (long)rest * rest : 0;
                left += rest;
            }

            var score = (-overfill, left, room[f].Sum());
            if (score.CompareTo(bestScore) > 0)
                (best, bestScore) = (f, score);
        }

        return best;
    }

    /// <summary>Classes renumbered in the order in which they first occur, as StratifiedKFold does.</summary>
    private static int[] RanksByFirstOccurrence(ReadOnlySpan<int> y)
    {
        var rankOf = new Dictionary<int, int>();
        var ranks = new int[y.Length];
        for (var i = 0; i < y.Length; i++)
        {
            if (!rankOf.TryGetValue(y[i], out var rank))
                rankOf[y[i]] = rank = rankOf.Count;
            ranks[i] = rank;
        }

        return ranks;
    }
}
