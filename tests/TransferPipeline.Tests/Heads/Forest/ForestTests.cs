using TransferPipeline.Heads;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Tests.Heads;

public sealed class ForestTests
{
    private static readonly ForestTrainer Trainer = new();

    [Fact]
    public void Forest_SharesOfManyTrees_AreNearScikitLearns()
    {
        // Both average 1,000 trees with random numbers of their own: a share p then differs by sqrt(2 p (1 - p) / 1000), 0.018 at p = 0.2
        // (0.014 in the mean of magnitudes) and 0.022 at 0.5 (0.1 is 4.5 times that).
        var (x, y) = Mixture.Create(700, 30, 5, 21, 1.2);
        int[] test = [.. Enumerable.Range(500, 200)];
        foreach (var golden in Golden.Read("forest").GetProperty("cases").EnumerateArray())
        {
            var splitter = golden.Text("splitter");
            var settings = Mixture.Settings(
                Trainer,
                ("splitter", splitter),
                ("bootstrap", splitter == "best" ? "true" : "false"),
                ("n_estimators", "1000")
            );
            var head = (ForestHead)Trainer.Train(Mixture.Training(x, y, 500), settings, new());

            var (expected, actual) = (golden.Floats("probabilities"), HeadChecks.Scores(head, x, test));
            var difference = expected.Zip(actual, (e, a) => Math.Abs(e - a)).ToArray();
            Assert.True(difference.Average() < 0.016, $"{splitter}: mean difference {difference.Average()}");
            Assert.True(difference.Max() < 0.1, $"{splitter}: largest difference {difference.Max()}");
            Assert.Equal(golden.GetProperty("accuracy").GetDouble(), HeadChecks.Accuracy(head, x, y, test), 0.03);
            Assert.Equal(1, head.Trees.Average(t => t.Nodes) / golden.GetProperty("nodes").GetDouble(), 0.04);
        }
    }

    [Theory]
    [InlineData(90, 1, "none")]
    [InlineData(90, 4, "none")]
    [InlineData(90, 1, "balanced")]
    [InlineData(250, 2, "none")]
    public void TreeBuilder_EveryDivision_IsTheBestOfAllColumns(int rows, int leaf, string classWeight)
    {
        var (x, y) = Mixture.Create(rows, 7, 3, 5, 1.5);
        y[4] = y[7] = y[10] = 2;
        var data = Mixture.Training(x, y, rows);
        var settings = Mixture.Settings(
            Trainer,
            ("n_estimators", "1"),
            ("bootstrap", "false"),
            ("max_features", "all"),
            ("min_samples_leaf", $"{leaf}"),
            ("class_weight", classWeight)
        );
        var tree = ((ForestHead)Trainer.Train(data, settings, new())).Trees[0];
        var counts = Enumerable.Range(0, 3).Select(c => y.Count(label => label == c)).ToArray();
        var weights = counts.Select(n => classWeight == "none" ? 1.0 : rows / (3.0 * n)).ToArray();

        var leaves = 0;
        Walk(0, data.Rows);
        Assert.Equal(tree.Feature.Count(f => f < 0), leaves);

        void Walk(int node, int[] members)
        {
            if (tree.Feature[node] < 0)
            {
                leaves++;
                Assert.True(members.Select(m => y[m]).Distinct().Count() == 1 || Best(members) == double.NegativeInfinity);
                return;
            }

            var left = members.Where(m => x.Row(m)[tree.Feature[node]] <= tree.Threshold[node]).ToArray();
            Assert.Equal(Best(members), Gain(left, [.. members.Except(left)]), 1e-9);
            Walk(node + 1, left);
            Walk(tree.Right[node], [.. members.Except(left)]);
        }

        double Best(int[] members)
        {
            var best = double.NegativeInfinity;
            for (var column = 0; column < 7; column++)
            {
                foreach (var threshold in members.Select(m => x.Row(m)[column]).Distinct())
                {
                    var left = members.Where(m => x.Row(m)[column] <= threshold).ToArray();
                    if (left.Length >= leaf && members.Length - left.Length >= leaf)
                        best = Math.Max(best, Gain(left, [.. members.Except(left)]));
                }
            }

            return best;
        }

        double Gain(int[] left, int[] right) => Side(left) + Side(right);

        double Side(int[] members)
        {
            var sums = Enumerable.Range(0, 3).Select(c => weights[c] * members.Count(m => y[m] == c)).ToArray();
            return sums.Sum(s => s * s) / sums.Sum();
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(40)]
    public void SplitSearch_Counting_FindsWhatListsFind(int classes)
    {
        // 40 classes are searched with lists, 3 by counting; either must agree with lists of weights (all 1).
        var (x, y) = Mixture.Create(2000, 5, classes, 9, 1.5);
        int[] rows = [.. Enumerable.Range(0, 2000)];
        var bins = new BinnedFeatures(x, rows, false, 1, CancellationToken.None);
        var options = TreeLimits.Of((Forest)Mixture.Settings(Trainer), 5);
        var samples = Array.ConvertAll(y, label => Sample.Create(label, 1 + label % 2));
        var plain = new SplitSearch(bins, options, classes, null);
        var weighted = new SplitSearch(bins, options, classes, [.. Enumerable.Repeat(1.0, classes)]);
        plain.Enter(samples);
        weighted.Enter(samples);
        for (var column = 0; column < 5; column++)
        {
            var (one, other) = (new Split(), new Split());
            Assert.True(plain.Best(column, rows, samples, ref one));
            Assert.True(weighted.Best(column, rows, samples, ref other));
            Assert.Equal((other.Column, other.Bin, other.NextBin), (one.Column, one.Bin, one.NextBin));
            Assert.Equal(other.Score, one.Score, 1e-6);
        }
    }

    [Theory]
    [InlineData(300, 4, false)]
    [InlineData(5000, 20, false)]
    [InlineData(5000, 20, true)]
    public void RandomSplitSearch_Score_IsThatOfTheRowsThatGoLeft(int count, int classes, bool weighted)
    {
        var (x, y) = Mixture.Create(count, 70, classes, 12, 1.5);
        for (var i = 0; i < count; i++)
            x.Row(i)[3] = 1;
        int[] rows = [.. Enumerable.Range(0, count).Where(i => i % 3 > 0)];
        var bins = new BinnedFeatures(x, [.. Enumerable.Range(0, count)], true, 2, CancellationToken.None);
        var weights = weighted ? Enumerable.Range(0, classes).Select(c => 1 + c / 4.0).ToArray() : null;
        uint[] samples = [.. rows.Select(r => Sample.Create(y[r], 1 + r % 60))];
        var node = new SplitSearch(bins, TreeLimits.Of((Forest)Mixture.Settings(Trainer), 70), classes, weights);
        node.Enter(samples);
        var search = new RandomSplitSearch(bins, 1, classes, weights);
        var random = RandomStream.OfPart(0, 0);
        foreach (var columns in new int[][] { [0, 3, 5], [.. Enumerable.Range(6, RandomSplitSearch.Width)] })
        {
            var best = new Split();
            Assert.Equal(columns.Count(c => c != 3), search.Offer(columns, rows, samples, node.Totals, node.Weight, ref random, ref best));
            Assert.Contains(best.Column, columns);
            var (left, right) = (new double[classes], (double[])node.Totals.Clone());
            var threshold = bins.Threshold(best.Column, best.Bin, best.NextBin);
            for (var i = 0; i < rows.Length; i++)
            {
                if (x.Row(rows[i])[best.Column] > threshold)
                    continue;
                var weight = Sample.Count(samples[i]) * (weights?[y[rows[i]]] ?? 1);
                left[y[rows[i]]] += weight;
                right[y[rows[i]]] -= weight;
            }

            Assert.Equal(left.Sum(w => w * w) / left.Sum() + right.Sum(w => w * w) / right.Sum(), best.Score, 1e-6 * best.Score);
        }

        var none = new Split();
        Assert.Equal(0, search.Offer([3], rows, samples, node.Totals, node.Weight, ref random, ref none));
        Assert.False(none.Found);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(5000)]
    public void BinnedFeatures_Codes_FollowTheValues(int count)
    {
        var (x, _) = Mixture.Create(count, 18, 2, 31);
        for (var i = 0; i < count; i++)
        {
            x.Row(i)[0] = i % 3 == 0 ? -0f : 0f;
            x.Row(i)[1] = i % 200 - 100;
            x.Row(i)[2] = i < count * 9 / 10 ? 0 : x.Row(i)[2];
        }

        int[] rows = [.. Enumerable.Range(0, count)];
        var bins = new BinnedFeatures(x, rows, false, 2, CancellationToken.None);
        for (var column = 0; column < 18; column++)
        {
            var codes = bins.Codes(column).ToArray();
            var sorted = rows.OrderBy(r => x.Row(r)[column]).ToArray();
            for (var i = 0; i < count; i++)
            {
                var value = x.Row(sorted[i])[column];
                Assert.InRange(value, bins.Lowest(column, codes[sorted[i]]), bins.Highest(column, codes[sorted[i]]));
                if (i == 0)
                    continue;
                var before = x.Row(sorted[i - 1])[column];
                Assert.True(codes[sorted[i]] == codes[sorted[i - 1]] || (codes[sorted[i]] == codes[sorted[i - 1]] + 1 && value > before));
                if (codes[sorted[i]] == codes[sorted[i - 1]])
                    continue;
                var threshold = bins.Threshold(column, codes[sorted[i - 1]], codes[sorted[i]]);
                Assert.True(before <= threshold && threshold < value);
            }
        }

        Assert.Single(bins.Codes(0).ToArray().Distinct());
        Assert.Equal(Math.Min(count, 200), bins.Codes(1).ToArray().Distinct().Count());
    }

    [Fact]
    public void BinnedFeatures_Threshold_OfNeighbouringFloatsSeparatesThem()
    {
        var x = new FeatureMatrix(2, 1, [1f, MathF.BitIncrement(1f)]);
        var bins = new BinnedFeatures(x, [0, 1], false, 1, CancellationToken.None);
        Assert.Equal(1f, bins.Threshold(0, 0, 1));
    }

    [Theory]
    [InlineData("best", "none", 2)]
    [InlineData("best", "balanced", 4)]
    [InlineData("random", "none", 3)]
    public void Export_Probabilities_AreTheHeads(string splitter, string classWeight, int classes)
    {
        var (x, y) = Mixture.Create(500, 12, classes, 17, 1.5);

        // Few distinct values: rows lie on thresholds' sides as close as can be.
        foreach (ref var value in x.Data.AsSpan())
            value = MathF.Round(value * 4) / 4;
        var settings = Mixture.Settings(
            Trainer,
            ("splitter", splitter),
            ("class_weight", classWeight),
            ("n_estimators", "40"),
            ("max_depth", "6")
        );
        var head = Trainer.Train(Mixture.Training(x, y, 300), settings, new());

        HeadChecks.AgreesWithItself(head, x, [.. Enumerable.Range(0, 500)], 1e-6);
        Assert.True(HeadChecks.Accuracy(head, x, y, [.. Enumerable.Range(300, 200)]) > 1.2 / classes);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("20")]
    public void Export_TwoClassesOnWhichAllTreesAgree_GivesTheHeadsProbabilities(string trees)
    {
        var (x, y) = Mixture.Create(300, 20, 2, 7, 0.5);
        var head = Trainer.Train(Mixture.Training(x, y, 300), Mixture.Settings(Trainer, ("n_estimators", trees)), new());
        int[] rows = [.. Enumerable.Range(0, 300)];
        Assert.Contains(1f, HeadChecks.Probabilities(head, x, rows));
        HeadChecks.AgreesWithItself(head, x, rows, 1e-6);
    }

    [Fact]
    public void Train_OneOrTwoThreads_GrowTheSameTrees()
    {
        var (x, y) = Mixture.Create(400, 40, 3, 23);
        var data = Mixture.Training(x, y, 300);
        var one = (ForestHead)Trainer.Train(data, Mixture.Settings(Trainer, ("n_estimators", "30")), new() { Threads = 1, Seed = 5 });
        var two = (ForestHead)Trainer.Train(data, Mixture.Settings(Trainer, ("n_estimators", "30")), new() { Threads = 2, Seed = 5 });
        var other = (ForestHead)Trainer.Train(data, Mixture.Settings(Trainer, ("n_estimators", "30")), new() { Threads = 2, Seed = 6 });
        for (var t = 0; t < 30; t++)
        {
            Assert.Equal(one.Trees[t].Feature, two.Trees[t].Feature);
            HeadChecks.AssertSameBytes(one.Trees[t].Threshold, two.Trees[t].Threshold);
            HeadChecks.AssertSameBytes(one.Trees[t].Shares, two.Trees[t].Shares);
        }

        Assert.NotEqual(one.Trees[0].Feature, other.Trees[0].Feature);
        Assert.NotEqual(one.Trees[0].Feature, one.Trees[1].Feature);
    }

    [Fact]
    public void Train_DepthAndLeafLimits_AreKept()
    {
        var (x, y) = Mixture.Create(400, 10, 3, 29, 2);
        var settings = Mixture.Settings(
            Trainer,
            ("n_estimators", "10"),
            ("max_depth", "3"),
            ("min_samples_leaf", "20"),
            ("bootstrap", "false")
        );
        var head = (ForestHead)Trainer.Train(Mixture.Training(x, y, 400), settings, new());
        foreach (var tree in head.Trees)
        {
            Assert.True(tree.Nodes <= 15);
            var reached = Enumerable.Range(0, 400).GroupBy(r => Leaf(tree, x.Row(r)));
            Assert.All(reached, leaf => Assert.True(leaf.Count() >= 20));
        }
    }

    [Theory]
    [InlineData("best")]
    [InlineData("random")]
    public void Train_MinSamplesSplit_DividesNoSmallerNode(string splitter)
    {
        var (x, y) = Mixture.Create(400, 10, 3, 29, 2);
        var settings = Mixture.Settings(
            Trainer,
            ("n_estimators", "5"),
            ("min_samples_split", "60"),
            ("bootstrap", "false"),
            ("splitter", splitter)
        );
        var head = (ForestHead)Trainer.Train(Mixture.Training(x, y, 400), settings, new());
        foreach (var tree in head.Trees)
        {
            var rows = new int[tree.Nodes];
            for (var r = 0; r < 400; r++)
            {
                for (var node = 0; ; node = x.Row(r)[tree.Feature[node]] <= tree.Threshold[node] ? node + 1 : tree.Right[node])
                {
                    rows[node]++;
                    if (tree.Feature[node] < 0)
                        break;
                }
            }

            Assert.All(Enumerable.Range(0, tree.Nodes).Where(n => tree.Feature[n] >= 0), n => Assert.True(rows[n] >= 60));
            Assert.Contains(Enumerable.Range(0, tree.Nodes).Where(n => tree.Feature[n] < 0), n => rows[n] < 30);
        }
    }

    [Theory]
    [InlineData("0", "forest: max_features is '0', expected sqrt, log2, all or a whole number of at least 1")]
    [InlineData("sqr", "forest: max_features is 'sqr', expected sqrt, log2, all or a whole number of at least 1; did you mean 'sqrt'?")]
    [InlineData("13", "forest: max_features is 13, but the vectors have only 12 values")]
    public void Train_BadMaxFeatures_SaysWhatIsExpected(string text, string message)
    {
        var (x, y) = Mixture.Create(20, 12, 2, 3);
        var error = Assert.Throws<UsageException>(() =>
            Trainer.Train(Mixture.Training(x, y, 20), Mixture.Settings(Trainer, ("max_features", text)), new())
        );
        Assert.StartsWith(message.Split(';')[0], error.Message);
    }

    private static int Leaf(Tree tree, ReadOnlySpan<float> vector)
    {
        var node = 0;
        while (tree.Feature[node] >= 0)
            node = vector[tree.Feature[node]] <= tree.Threshold[node] ? node + 1 : tree.Right[node];
        return node;
    }
}
