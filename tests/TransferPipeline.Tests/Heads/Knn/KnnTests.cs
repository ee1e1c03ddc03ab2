using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Heads;

public sealed class KnnTests
{
    private static readonly KnnTrainer Trainer = new();

    [Fact]
    public void Knn_NeighboursAndVotes_AreScikitLearns()
    {
        var (x, y) = Mixture.Create(150, 24, 4, 7, 1.5);
        var data = Mixture.Training(x, y, 110);
        int[] test = [.. Enumerable.Range(110, 40)];
        foreach (var golden in Golden.Read("knn").GetProperty("cases").EnumerateArray())
        {
            var settings = Mixture.Settings(
                Trainer,
                ("metric", golden.Text("metric")),
                ("weights", golden.Text("weights")),
                ("n_neighbors", golden.Text("k"))
            );
            var head = Trainer.Train(data, settings, new());
            var metric = golden.Text("metric") == "cosine" ? DistanceMetric.Cosine : DistanceMetric.Euclidean;
            var index = new NeighbourIndex(x.Select(data.Rows), y, metric, FeatureScaling.None, int.Parse(golden.Text("k")), false, 1);

            Assert.Equal(golden.Integers("rows"), index.Find(x, test, 1).Rows);
            var scores = HeadChecks.Scores(head, x, test);
            HeadChecks.AssertClose(golden.Floats("probabilities"), scores, 1e-6);
            Assert.Equal(golden.Integers("labels"), HeadChecks.Predictions(scores, 4));
        }
    }

    [Theory]
    [InlineData("cosine", 1)]
    [InlineData("cosine", 20)]
    [InlineData("euclidean", 3)]
    [InlineData("euclidean", 300)]
    public void NeighbourIndex_Find_EqualsSortingAllDistances(string metric, int k)
    {
        var (x, _) = Mixture.Create(1300, 37, 5, 3);

        // Copies of photos, near copies and a vector of zeros.
        for (var i = 900; i < 960; i++)
            x.Row(i - 500).CopyTo(x.Row(i));
        for (var i = 960; i < 1000; i++)
        {
            x.Row(17).CopyTo(x.Row(i));
            x.Row(i)[i % 37] *= 1 + (i - 950) * 1e-7f;
        }

        x.Row(1000).Clear();
        var cosine = metric == "cosine";
        int[] stored = [.. Enumerable.Range(0, 1100)];
        int[] queries = [.. Enumerable.Range(950, 350)];
        var index = new NeighbourIndex(
            x.Select(stored),
            new int[1100],
            cosine ? DistanceMetric.Cosine : DistanceMetric.Euclidean,
            FeatureScaling.None,
            k,
            isShared: false,
            2
        );

        var found = index.Find(x, queries, 2);

        for (var q = 0; q < queries.Length; q++)
        {
            var distances = Array.ConvertAll(stored, s => Distance(x.Row(queries[q]), x.Row(s), cosine));
            var expected = stored.OrderBy(s => distances[s]).Take(k).ToArray();
            var actual = found.Rows[(q * k)..(q * k + k)];
            for (var i = 0; i < k; i++)
                Assert.True(
                    expected[i] == actual[i] || Math.Abs(distances[expected[i]] - distances[actual[i]]) < 1e-12,
                    $"query {q}, neighbour {i}: {expected[i]} or {actual[i]}"
                );
            for (var i = 1; i < k; i++)
                Assert.True(
                    found.Distances[q * k + i - 1] < found.Distances[q * k + i] || actual[i - 1] < actual[i],
                    "ties go to the lower row"
                );
        }
    }

    [Fact]
    public void NeighbourIndex_Shared_SearchesTheSameRowsOnce()
    {
        var (x, _) = Mixture.Create(200, 10, 2, 3);
        int[] rows = [.. Enumerable.Range(100, 50)];
        var index = new NeighbourIndex(x, new int[200], DistanceMetric.Cosine, FeatureScaling.None, 9, isShared: true, 2);
        var found = index.Find(x, rows, 2);
        Assert.Same(found, index.Find(x, rows, 2));
        Assert.NotSame(found, index.Find(x, rows[1..], 2));
    }

    [Theory]
    [InlineData("none", float.NaN, "the vector of row 270 has NaN at position 4; extract that photo again or leave it out")]
    [InlineData("standard", float.NaN, "the vector of row 270 has NaN at position 4; extract that photo again or leave it out")]
    [InlineData("l2", float.NegativeInfinity, "the vector of row 270 has infinity at position 4; extract that photo again or leave it out")]
    [InlineData(
        "none",
        2e38f,
        "the vector of row 270 has values whose squares are too large for float32, the largest 2.0e+38; divide the vectors first"
    )]
    public void Score_VectorThatIsNoNumber_IsNamed(string scaling, float value, string message)
    {
        var (x, y) = Mixture.Create(300, 32, 3, 5, 2);
        for (var i = 0; i < 300; i++)
            x.Row(i)[4] = x.Row(i)[5] = 4 + i % 7;
        var head = Trainer.Train(Mixture.Training(x, y, 256), Mixture.Settings(Trainer, ("scaling", scaling)), new());
        (x.Row(270)[4], x.Row(270)[5]) = (value, -value);
        int[] rows = [.. Enumerable.Range(256, 44)];
        Assert.Equal(message, Assert.Throws<BadInputException>(() => HeadChecks.Scores(head, x, rows, 2)).Message);
    }

    [Fact]
    public void Train_Scaling_IsThatOfScaledVectors()
    {
        var (x, y) = Mixture.Create(300, 12, 3, 19, 1.5);
        for (var i = 0; i < 300; i++)
            x.Row(i)[0] *= 100;
        var data = Mixture.Training(x, y, 200);
        int[] all = [.. Enumerable.Range(0, 300)];
        var scaled = FeatureScaling.Fit(ScalingKind.Standard, x, data.Rows, 1).Apply(x, all, 1);
        var inside = Trainer.TrainPath(data, Mixture.Settings(Trainer, ("scaling", "standard")), [3, 9], new());
        var outside = Trainer.TrainPath(data with { X = scaled }, Mixture.Settings(Trainer), [3, 9], new());
        for (var k = 0; k < 2; k++)
            HeadChecks.AssertSameBytes(HeadChecks.Scores(outside[k], scaled, all), HeadChecks.Scores(inside[k], x, all));
    }

    [Fact]
    public void TrainPath_AllK_AreTheHeadsOfSingleFits()
    {
        var (x, y) = Mixture.Create(400, 30, 3, 5, 2);
        var data = Mixture.Training(x, y, 300);
        int[] test = [.. Enumerable.Range(300, 100)];
        double[] path = [1, 3, 10, 50];

        var heads = Trainer.TrainPath(data, Mixture.Settings(Trainer), path, new() { Threads = 2 });

        for (var i = 0; i < path.Length; i++)
        {
            var single = Trainer.Train(data, heads[i].Options, new() { Threads = 1 });
            Assert.Equal(path[i], double.Parse(heads[i].Options.Values["n_neighbors"], System.Globalization.CultureInfo.InvariantCulture));
            HeadChecks.AssertSameBytes(HeadChecks.Scores(single, x, test), HeadChecks.Scores(heads[i], x, test, 2));
        }

        // Other rows after those: what was remembered must not be served again.
        int[] others = [.. Enumerable.Range(250, 60)];
        HeadChecks.AssertSameBytes(
            HeadChecks.Scores(Trainer.Train(data, heads[2].Options, new()), x, others),
            HeadChecks.Scores(heads[2], x, others)
        );
    }

    [Theory]
    [InlineData("cosine", "uniform", "none", 17)]
    [InlineData("cosine", "distance", "none", 11)]
    [InlineData("cosine", "distance", "standard", 17)]
    [InlineData("euclidean", "uniform", "l2", 13)]
    [InlineData("euclidean", "distance", "none", 21)]
    [InlineData("cosine", "uniform", "none", 7)]
    [InlineData("cosine", "distance", "standard", 8)]
    [InlineData("cosine", "distance", "none", 9)]
    [InlineData("euclidean", "distance", "l2", 9)]
    [InlineData("euclidean", "uniform", "none", 10)]
    public void Export_Probabilities_AreTheHeads(string metric, string weights, string scaling, int opset)
    {
        var (x, y) = Mixture.Create(300, 20, 4, 11, 1.5);
        x.Row(3).Clear();
        x.Row(8).CopyTo(x.Row(9));
        var settings = Mixture.Settings(Trainer, ("metric", metric), ("weights", weights), ("scaling", scaling), ("n_neighbors", "6"));
        var head = Trainer.Train(Mixture.Training(x, y, 220), settings, new());

        // Training photos among them: their own copies are at no distance.
        int[] rows = [.. Enumerable.Range(0, 300)];
        HeadChecks.AgreesWithItself(head, x, rows);
        HeadChecks.AssertClose(HeadChecks.Probabilities(head, x, rows), HeadChecks.OnnxProbabilities(head, x, rows, opset), 1e-5);
        Assert.Equal(220 * 20, head.ParameterCount);
    }

    [Fact]
    public void Export_MoreNeighboursThanSpareRows_Works()
    {
        var (x, y) = Mixture.Create(30, 6, 2, 13);
        var head = Trainer.Train(Mixture.Training(x, y, 20), Mixture.Settings(Trainer, ("n_neighbors", "20")), new());
        HeadChecks.AgreesWithItself(head, x, [.. Enumerable.Range(0, 30)]);
    }

    [Fact]
    public void Train_MoreNeighboursThanRows_SaysSo()
    {
        var (x, y) = Mixture.Create(30, 6, 2, 13);
        var settings = Mixture.Settings(Trainer, ("n_neighbors", "21"));
        var error = Assert.Throws<UsageException>(() => Trainer.Train(Mixture.Training(x, y, 20), settings, new()));
        Assert.Equal("knn: n_neighbors is 21, but there are only 20 training rows", error.Message);
    }

    [Theory]
    [InlineData("n_neighbors", "0", "knn: n_neighbors is '0', expected a whole number of at least 1")]
    [InlineData("metric", "cosin", "knn: metric is 'cosin', expected one of cosine, euclidean; did you mean 'cosine'?")]
    public void Settings_BadValue_IsNamed(string name, string value, string message) =>
        Assert.StartsWith(message.Split(';')[0], Assert.Throws<UsageException>(() => Mixture.Settings(Trainer, (name, value))).Message);

    private static double Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b, bool cosine)
    {
        double ab = 0,
            aa = 0,
            bb = 0,
            squares = 0;
        for (var i = 0; i < a.Length; i++)
        {
            ab += (double)a[i] * b[i];
            aa += (double)a[i] * a[i];
            bb += (double)b[i] * b[i];
            squares += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        }

        if (!cosine)
            return Math.Sqrt(squares);
        return aa * bb == 0 ? 1 : 1 - ab / Math.Sqrt(aa * bb);
    }
}
