using TransferPipeline.Evaluation;

namespace TransferPipeline.Tests.Evaluation;

public sealed class DataCheckTests
{
    [Fact]
    public void Find_NearDuplicates_AreThoseOfAPlainSearch()
    {
        var set = Synthetic.Set(classes: 2, columns: 6, perSplit: [("train", 300)]);
        var x = set.Data.X;
        var expected = new HashSet<(int, int)>();
        for (var i = 0; i < x.Rows; i++)
        {
            for (var j = i + 1; j < x.Rows; j++)
            {
                if (Cosine(x, i, j) >= 0.99)
                    expected.Add((i, j));
            }
        }

        var found = NearDuplicates.Find(FeatureView.Align([set])[0], 0.99, threads: 2, TestContext.Current.CancellationToken);
        Assert.NotEmpty(expected);
        Assert.Equal(expected, found.Select(p => (p.First, p.Second)).ToHashSet());
        Assert.All(found, p => Assert.Equal(Cosine(x, p.First, p.Second), p.Cosine, 1e-5));
    }

    [Fact]
    public void Find_CosineOfTheThresholdItself_IsADuplicate()
    {
        var x = new FeatureMatrix(4, 2, [1, 0, 0, 1, 1, 0, 0, 0]);
        var view = FeatureView.Align([Synthetic.Source(x, [0, 1, 0, 1], ["train", "train", "train", "train"], 2)])[0];
        Assert.Equal([new(0, 2, 1)], NearDuplicates.Find(view, 1, threads: 1, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Find_VectorsThatAllPointOneWay_RefusesInsteadOfFillingTheMemory()
    {
        const int Photos = 4600;
        var x = new FeatureMatrix(Photos, 2);
        for (var r = 0; r < Photos; r++)
            (x.Row(r)[0], x.Row(r)[1]) = (1, r / (10f * Photos));
        var view = FeatureView.Align([
            Synthetic.Source(x, [.. Enumerable.Range(0, Photos).Select(r => r % 2)], [.. Enumerable.Repeat("train", Photos)], 2),
        ])[0];
        var error = Assert.Throws<BadInputException>(() =>
            NearDuplicates.Find(view, 0.95, threads: 2, TestContext.Current.CancellationToken)
        );
        Assert.StartsWith("of the 4,600 photos more than 10,000,000 pairs have a cosine of at least 0.95", error.Message);
    }

    [Fact]
    public void Find_Outliers_AreThoseOfAPlainReckoning()
    {
        // Classes of even and odd sizes, a vector of zeros and one that points away.
        var set = Synthetic.Set(classes: 2, columns: 6, separation: 3, perSplit: [("train", 40)]);
        var (x, y) = (set.Data.X, set.Data.Y);
        x.Row(3).Clear();
        foreach (ref var value in x.Row(50))
            value = -value;
        y[79] = 0;
        set = Synthetic.Source(x, y, [.. y.Select(_ => "train")], 2);
        var expected = new List<(int Photo, double Score, double Excess)>();
        foreach (var k in (int[])[0, 1])
        {
            int[] own = [.. Enumerable.Range(0, 80).Where(i => y[i] == k)];
            var scores = own.ToDictionary(
                i => i,
                i => own.Where(j => j != i).Select(j => i == 3 || j == 3 ? 1 : 1 - Cosine(x, i, j)).Order().Take(5).Average()
            );
            var median = Median(scores.Values);
            var deviation = 1.4826 * Median(scores.Values.Select(s => Math.Abs(s - median)));
            expected.AddRange(own.Select(i => (i, scores[i], (scores[i] - median) / deviation)).Where(o => o.Item3 > 3.5));
        }

        var found = Outliers.Find(FeatureView.Align([set])[0], threads: 2);
        Assert.Contains(50, expected.Select(o => o.Photo));
        Assert.Equal(expected.OrderByDescending(o => o.Excess).Select(o => set.Data.Rows[o.Photo].Path), found.Select(o => o.Path));
        foreach (var (one, other) in expected.OrderByDescending(o => o.Excess).Zip(found))
            Assert.Equal(one.Score, other.Score, 1e-5);

        static double Median(IEnumerable<double> values)
        {
            double[] sorted = [.. values.Order()];
            return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
        }
    }

    [Fact]
    public void Groups_ChainsOfPairs_AreOneGroup() =>
        Assert.Equal([0, 1, 0, 3, 0, 1], NearDuplicates.Groups(6, [new(2, 4, 1), new(0, 2, 1), new(1, 5, 1)]));

    [Fact]
    public void Run_PlantedDuplicatesSwappedLabelsAndStranger_AreFound()
    {
        var set = Planted(out var swapped, out var stranger);
        var run = Comparer.Run(new() { CheckData = true, NearDuplicateCosine = 0.9999 }, [set], ComparerTests.Heads("centroid:heat=20"));
        var check = run.Result.DataCheck!;

        Assert.Equal(10, check.NearDuplicateCount);
        Assert.All(check.NearDuplicates, d => Assert.Equal(("train", "validation"), (d.SplitA, d.SplitB)));
        Assert.Equal(10, check.EvaluatedWithDuplicate);
        Assert.Equal(run.Result.Heads[0].Accuracy.Value, check.AccuracyWithDuplicates, 12);
        Assert.InRange(check.AccuracyWithoutDuplicates, 0.9, 1);
        Assert.Contains(
            "10 of 60 evaluated photos have a near-duplicate among those trained on: figures may be optimistic",
            run.Result.Warnings
        );

        // The stranger is a suspect too.
        var suspects = check.SuspectLabels.Take(swapped.Length + 1).Select(s => s.Path).ToHashSet();
        Assert.True(swapped.All(suspects.Contains), $"suspects {string.Join(", ", suspects)}; swapped {string.Join(", ", swapped)}");
        Assert.Equal(stranger, check.Outliers[0].Path);
    }

    [Fact]
    public void Run_GroupNearDuplicates_KeepsThemInOneFold()
    {
        var set = Planted(out _, out _);
        var apart = Comparer.Run(
            new()
            {
                Folds = 5,
                CheckData = true,
                NearDuplicateCosine = 0.9999,
            },
            [set],
            ComparerTests.Heads("centroid")
        );
        var together = Comparer.Run(
            new()
            {
                Folds = 5,
                CheckData = true,
                NearDuplicateCosine = 0.9999,
                GroupNearDuplicates = true,
            },
            [set],
            ComparerTests.Heads("centroid")
        );
        Assert.True(apart.Result.DataCheck!.EvaluatedWithDuplicate > 5);
        Assert.Equal(0, together.Result.DataCheck!.EvaluatedWithDuplicate);
        Assert.Contains("near-duplicates kept together", together.Result.Protocol);
    }

    /// <summary>
    /// Three clear classes; the first ten validation photos nearly equal training photos, six training labels are swapped, one photo points
    /// elsewhere.
    /// </summary>
    private static FeatureSource Planted(out string[] swapped, out string stranger)
    {
        var set = Synthetic.Set(columns: 16, separation: 3);
        var (x, y) = (set.Data.X, set.Data.Y);
        for (var i = 0; i < 10; i++)
        {
            for (var d = 0; d < x.Columns; d++)
                x.Row(90 + i)[d] = x.Row(i)[d] * 1.001f;
        }

        int[] wrong = [12, 15, 40, 45, 70, 77];
        foreach (var row in wrong)
            y[row] = (y[row] + 1) % 3;
        for (var d = 0; d < x.Columns; d++)
            x.Row(20)[d] = -x.Row(20)[d];
        var source = Synthetic.Source(x, y, [.. set.Data.Rows.Select(r => r.Split)], 3);
        swapped = [.. wrong.Select(r => source.Data.Rows[r].Path)];
        stranger = source.Data.Rows[20].Path;
        return source;
    }

    private static double Cosine(FeatureMatrix x, int i, int j)
    {
        var (dot, a, b) = (0.0, 0.0, 0.0);
        for (var d = 0; d < x.Columns; d++)
        {
            dot += (double)x.Row(i)[d] * x.Row(j)[d];
            a += (double)x.Row(i)[d] * x.Row(i)[d];
            b += (double)x.Row(j)[d] * x.Row(j)[d];
        }

        return dot / Math.Sqrt(a * b);
    }
}
