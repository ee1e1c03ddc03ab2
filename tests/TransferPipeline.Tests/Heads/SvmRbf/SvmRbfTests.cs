using TransferPipeline.Heads;

namespace TransferPipeline.Tests.Heads;

public sealed class SvmRbfTests
{
    private static readonly SvmRbfTrainer Trainer = new();

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, 6)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Train_DecisionsAndPredictions_AreScikitLearns(int number)
    {
        var golden = Golden.Read("svm_rbf").GetProperty("cases")[number];
        var classes = golden.GetProperty("classes").GetInt32();
        var (x, y) = Mixture.Create(260, 16, classes, (uint)(71 + classes), 1.7);
        for (var i = 0; i < 40; i++)
            y[i] = y[i] == classes - 1 ? 0 : y[i];
        var settings = Mixture.Settings(
            Trainer,
            ("C", golden.Text("C")),
            ("gamma", golden.Text("gamma")),
            ("class_weight", golden.Text("class_weight")),
            ("break_ties", golden.Text("break_ties").ToLowerInvariant()),
            ("tol", "1e-5")
        );
        int[] test = [.. Enumerable.Range(180, 80)];

        var head = (SvmRbfHead)Trainer.Train(Mixture.Training(x, y, 180), settings, new());

        Assert.Equal(Pairs(golden.Floats("pairs"), classes), Pairs(head.Decisions(x, test), classes), new Near(2e-4));
        var scores = HeadChecks.Scores(head, x, test);
        Assert.Equal(golden.Integers("labels"), HeadChecks.Predictions(scores, classes));
        Assert.Equal(golden.GetProperty("support").GetInt32(), head.Model.Vectors.Rows, 2.0);
        Assert.InRange(head.Fit.RelativeGap, 0, 1e-3);

        // scikit-learn's scores, up to the exchange among tied classes that makes its prediction the largest.
        var expected = golden.Floats("scores");
        for (var i = 0; i < test.Length; i++)
        {
            var own = scores.AsSpan(i * classes, classes).ToArray();
            if (classes == 2)
                Assert.Equal(expected[i], own[1], 2e-4);
            else if (golden.GetProperty("break_ties").GetBoolean())
                HeadChecks.AssertClose(expected.AsSpan(i * classes, classes), own, 2e-4);
            else
                HeadChecks.AssertClose(expected.AsSpan(i * classes, classes).ToArray().Order().ToArray(), own.Order().ToArray(), 2e-4);
        }
    }

    [Fact]
    public void Solve_Solution_MeetsTheOptimalityConditions()
    {
        var (x, y) = Mixture.Create(301, 5, 2, 83, 2);
        var rows = Enumerable.Range(0, 301).OrderBy(r => y[r]).ToArray();
        var sorted = x.Select(rows);
        using var kernel = new RbfKernelMatrix(sorted, 0.3, 2, CancellationToken.None);
        var pair = new PairProblem(0, 151, 151, 150, 2, 5);
        var solution = new SmoSolver(kernel, pair).Solve(1e-6, 1_000_000, CancellationToken.None);

        Assert.True(solution.Converged);
        Assert.Equal(0, solution.Coefficients.Sum(), 1e-9);
        Assert.InRange(solution.Primal - solution.Dual, 0, 1e-5 * solution.Primal);
        var (bounded, free) = (0, 0);
        for (var i = 0; i < 301; i++)
        {
            var label = i < 151 ? 1 : -1;
            var alpha = label * solution.Coefficients[i];
            var bound = label > 0 ? 2.0 : 5.0;
            var margin = label * (Enumerable.Range(0, 301).Sum(j => solution.Coefficients[j] * Kernel(sorted, i, j, 0.3)) + solution.Bias);
            Assert.InRange(alpha, 0, bound);
            (bounded, free) = (bounded + (alpha == bound ? 1 : 0), free + (alpha > 0 && alpha < bound ? 1 : 0));
            Assert.True(alpha > 0 || margin > 1 - 1e-4);
            Assert.True(alpha < bound || margin < 1 + 1e-4);
            Assert.True(alpha == 0 || alpha == bound || Math.Abs(margin - 1) < 1e-4);
        }

        Assert.True(bounded > 5 && free > 5);
    }

    [Fact]
    public void RbfKernelRows_FewSlots_GivesTheMatrixsRows()
    {
        var (x, _) = Mixture.Create(90, 33, 2, 87);
        using var matrix = new RbfKernelMatrix(x, 0.1, 2, CancellationToken.None);
        int[] members = [.. Enumerable.Range(0, 60).Select(i => 89 - i)];
        using var rows = new RbfKernelRows(x, members, 0.1, bytes: 6 * 60 * 4, threads: 2);
        for (var step = 0; step < 400; step++)
        {
            var row = step * 7 % 60 * (step % 3) % 60;
            for (var j = 0; j < 60; j++)
            {
                Assert.Equal(Kernel(x, 89 - row, 89 - j, 0.1), At(matrix, 89 - row, 89 - j), 1e-6);
                Assert.Equal(At(matrix, 89 - row, 89 - j), At(rows, row, j), 1e-6f);
            }
        }

        static unsafe float At(IKernelRows kernel, int row, int column) => *kernel.Row(row, column);
    }

    [Fact]
    public void SmoSolver_RowsOnDemand_SolvesAsTheMatrixDoes()
    {
        var (x, y) = Mixture.Create(200, 8, 3, 89, 2);
        var rows = Enumerable.Range(0, 200).OrderBy(r => y[r]).ToArray();
        var sorted = x.Select(rows);
        using var matrix = new RbfKernelMatrix(sorted, 0.2, 1, CancellationToken.None);
        var pair = new PairProblem(0, 67, 134, 66, 3, 3);
        int[] members = [.. Enumerable.Range(0, pair.Count).Select(pair.KernelRow)];
        using var onDemand = new RbfKernelRows(sorted, members, 0.2, 10_000, 1);

        var one = new SmoSolver(matrix, pair).Solve(1e-5, 1_000_000, CancellationToken.None);
        var other = new SmoSolver(onDemand, pair with { First = 0, Second = 67 }).Solve(1e-5, 1_000_000, CancellationToken.None);

        Assert.Equal(one.Dual, other.Dual, 1e-6 * one.Dual);
        Assert.Equal(one.Bias, other.Bias, 1e-4);
    }

    [Theory]
    [InlineData(2, "false", "none")]
    [InlineData(5, "false", "standard")]
    [InlineData(5, "true", "l2")]
    public void Export_Probabilities_AreTheHeads(int classes, string breakTies, string scaling)
    {
        var (x, y) = Mixture.Create(400, 24, classes, 91, 2);
        var settings = Mixture.Settings(Trainer, ("break_ties", breakTies), ("scaling", scaling));
        var head = Trainer.Train(Mixture.Training(x, y, 250), settings, new());
        HeadChecks.AgreesWithItself(head, x, [.. Enumerable.Range(0, 400)], 1e-5);
        Assert.True(HeadChecks.Accuracy(head, x, y, [.. Enumerable.Range(250, 150)]) > 1.3 / classes);
    }

    [Theory]
    [InlineData(2, "false", 7)]
    [InlineData(5, "false", 7)]
    [InlineData(5, "true", 8)]
    [InlineData(5, "false", 9)]
    [InlineData(5, "false", 10)]
    [InlineData(5, "false", 11)]
    [InlineData(2, "true", 12)]
    [InlineData(5, "false", 13)]
    public void Export_OldOpset_GivesTheSameProbabilities(int classes, string breakTies, int opset)
    {
        var (x, y) = Mixture.Create(300, 12, classes, 91, 2);
        var head = Trainer.Train(
            Mixture.Training(x, y, 200),
            Mixture.Settings(Trainer, ("break_ties", breakTies), ("scaling", "standard")),
            new()
        );
        int[] rows = [.. Enumerable.Range(0, 300)];
        HeadChecks.AssertClose(HeadChecks.Probabilities(head, x, rows), HeadChecks.OnnxProbabilities(head, x, rows, opset), 1e-5);
    }

    [Fact]
    public void OneVersusOne_TiedVotes_FirstClassWinsUnlessTiesAreBroken()
    {
        // Three classes beat each other in a circle: one vote each; class 2 has the largest sum of decisions.
        double[] decisions = [0, 0.5, -2, -0.5, 0, 1, 2, -1, 0];
        var (first, sums) = (new float[3], new float[3]);
        OneVersusOne.Scores(decisions, breakTies: false, first);
        OneVersusOne.Scores(decisions, breakTies: true, sums);
        Assert.Equal([0], HeadChecks.Predictions(first, 3));
        Assert.Equal([2], HeadChecks.Predictions(sums, 3));
        HeadChecks.AssertClose([1 - 1.5f / 7.5f, 1 + 0.5f / 4.5f, 1 + 1f / 6f], sums, 1e-6);
        Assert.Equal(sums.Order(), first.Order());
    }

    [Fact]
    public void Train_OneOrTwoThreads_GiveTheSameBytes()
    {
        var (x, y) = Mixture.Create(500, 40, 6, 93, 2);
        var data = Mixture.Training(x, y, 400);
        int[] rows = [.. Enumerable.Range(0, 500)];
        var one = (SvmRbfHead)Trainer.Train(data, Mixture.Settings(Trainer), new() { Threads = 1 });
        var two = (SvmRbfHead)Trainer.Train(data, Mixture.Settings(Trainer), new() { Threads = 2 });
        HeadChecks.AssertSameBytes(HeadChecks.Scores(one, x, rows), HeadChecks.Scores(two, x, rows));
        for (var c = 0; c < 6; c++)
            HeadChecks.AssertSameBytes(one.Model.Coefficients[c], two.Model.Coefficients[c]);
        Assert.Equal(one.Fit.Objective, two.Fit.Objective);
    }

    [Fact]
    public void Train_ConstantVectors_StillTrains()
    {
        var x = new FeatureMatrix(12, 3, [.. Enumerable.Repeat(2f, 36)]);
        var head = Trainer.Train(Mixture.Training(x, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1], 12), Mixture.Settings(Trainer), new());
        Assert.All(HeadChecks.Scores(head, x, [0, 1, 2]), s => Assert.True(float.IsFinite(s)));
    }

    [Theory]
    [InlineData("sale", "svm-rbf: gamma is 'sale', expected scale, auto or a number greater than 0; did you mean 'scale'?")]
    [InlineData("-1", "svm-rbf: gamma is '-1', expected scale, auto or a number greater than 0")]
    public void Train_BadGamma_SaysWhatIsExpected(string text, string message)
    {
        var (x, y) = Mixture.Create(20, 4, 2, 3);
        var error = Assert.Throws<UsageException>(() =>
            Trainer.Train(Mixture.Training(x, y, 20), Mixture.Settings(Trainer, ("gamma", text)), new())
        );
        Assert.StartsWith(message.Split(';')[0], error.Message);
    }

    private static double Kernel(FeatureMatrix x, int i, int j, double gamma)
    {
        var sum = 0.0;
        for (var d = 0; d < x.Columns; d++)
            sum += ((double)x.Row(i)[d] - x.Row(j)[d]) * ((double)x.Row(i)[d] - x.Row(j)[d]);
        return Math.Exp(-gamma * sum);
    }

    /// <summary>Decisions of the pairs in scikit-learn's order; for two classes it gives the second class's.</summary>
    private static double[] Pairs(float[] decisions, int classes) => [.. decisions.Select(d => classes == 2 ? -(double)d : d)];

    private static double[] Pairs(double[] decisions, int classes) =>
        [
            .. from n in Enumerable.Range(0, decisions.Length / (classes * classes))
            from i in Enumerable.Range(0, classes)
            from j in Enumerable.Range(i + 1, classes - i - 1)
            select decisions[(n * classes + i) * classes + j],
        ];

    private sealed class Near(double tolerance) : IEqualityComparer<double>
    {
        public bool Equals(double a, double b) => Math.Abs(a - b) <= tolerance;

        public int GetHashCode(double value) => 0;
    }
}
