using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Tests.Heads;

public sealed class DualCoordinateDescentTests
{
    /// <summary>Objectives of the outputs that Newton's method finishes are sums of float32 losses.</summary>
    private const double Noise = 1e-7;

    /// <summary>
    /// Overlapping classes, more rows than values and fewer, from soft to nearly hard margins, with and without class weights and an
    /// intercept.
    /// </summary>
    public static TheoryData<int, int, string> Problems =>
        new()
        {
            { 600, 40, "C=0.001" },
            { 600, 40, "C=1" },
            { 600, 40, "C=100" },
            { 600, 40, "C=1;fit_intercept=false" },
            { 600, 40, "C=10;class_weight=balanced" },
            { 90, 300, "C=0.01" },
            { 90, 300, "C=100" },
            { 600, 40, "C=0.1;scaling=standard" },
        };

    [Theory]
    [MemberData(nameof(Problems))]
    public void Train_AnyProblem_ReportsTheObjectiveAndAnUpperBoundOfTheGap(int rows, int columns, string options)
    {
        var data = Data(rows, columns);
        var optimum = Train(data, options + ";tol=1e-8").Fit.Objective;
        foreach (var tolerance in new[] { 1e-2, 1e-4, 1e-6, 1e-8 })
        {
            var head = Train(data, FormattableString.Invariant($"{options};tol={tolerance}"));
            Assert.True(head.Fit.Converged);
            Assert.InRange(head.Fit.RelativeGap, 0, tolerance);
            Assert.InRange(head.Fit.Objective, optimum * (1 - Noise), optimum * (1 + Noise) + head.Fit.RelativeGap * head.Fit.Objective);
            if (!options.Contains("scaling"))
                Assert.Equal(Objective(head, data), head.Fit.Objective, 1e-6 * optimum);
        }
    }

    [Fact]
    public void Train_NearlyHardMargins_ConvergesWithRowsThatLeftTheSweepsInError()
    {
        // Most rows leave the sweeps early; the gap over all of them shows the ones that left in error.
        var (x, y) = Mixture.Create(500, 200, 5, 11, spread: 2);
        var data = Mixture.Training(x, y, 500);
        var head = Train(data, "C=1000;tol=1e-8");
        Assert.True(head.Fit.Converged);
        Assert.Equal(Objective(head, data), head.Fit.Objective, 1e-6 * head.Fit.Objective);
    }

    [Theory]
    [InlineData(600, 40)]
    [InlineData(90, 300)]
    public unsafe void Run_UntilTheGapIsReached_StandsWhereItSays(int rows, int columns)
    {
        // Without L-BFGS behind it.
        var data = Data(rows, columns);
        int[] classes = [.. Enumerable.Range(0, data.ClassCount)];
        var stride = LinearObjective.StrideOf(columns);
        using var parameters = new FloatBuffer((long)classes.Length * stride);
        var descent = new DualCoordinateDescent(RowSet.View(data.X, data.Rows, data.Y), classes, bias: true, threads: 2);
        var weights = LossWeights.ByRow([.. classes.Select(_ => 0.01f)]);
        var found = descent.Run(weights, 1e-6, parameters.Pointer, stride, new TrainingContext { Threads = 2 });
        for (var k = 0; k < classes.Length; k++)
        {
            var w = new Span<float>(parameters.Pointer + k * stride, columns + 1).ToArray();
            var objective =
                0.5 * w.Sum(v => (double)v * v)
                + 0.01
                    * data.Rows.Sum(i =>
                    {
                        var hinge = Math.Max(
                            0,
                            1
                                - (data.Y[i] == k ? 1 : -1)
                                    * (w[columns] + Enumerable.Range(0, columns).Sum(d => (double)w[d] * data.X.Row(i)[d]))
                        );
                        return hinge * hinge;
                    });
            Assert.Equal(objective, found[k].Objective, 1e-6 * objective);
            Assert.InRange(found[k].Gap, 0, 1e-6 * objective);
            Assert.True(found[k].Iterations > 0);
        }
    }

    [Fact]
    public void Train_OneAndThreeThreads_GivesTheSameBytes()
    {
        var data = Data(600, 40);
        var (one, three) = (Train(data, "C=1", 1), Train(data, "C=1", 3));
        Assert.Equal(one.Weights, three.Weights);
        Assert.Equal(one.Bias, three.Bias);
        Assert.Equal(one.Fit, three.Fit);
    }

    private static TrainingRows Data(int rows, int columns)
    {
        var (x, y) = Mixture.Create(rows, columns, 7, 11, spread: 4);
        return Mixture.Training(x, y, rows);
    }

    private static LinearHead Train(TrainingRows data, string options, int threads = 2)
    {
        var trainer = HeadCatalog.Find("linear-svm");
        (string, string)[] given = [.. options.Split(';').Select(o => (o.Split('=')[0], o.Split('=')[1]))];
        return (LinearHead)
            trainer.Train(data, Mixture.Settings(trainer, given), new TrainingContext { Threads = threads, Warn = w => Assert.Fail(w) });
    }

    /// <summary>
    /// Half the squared weights, intercepts among them, plus C times the squared hinges (times the class's weight for its own rows).
    /// </summary>
    private static double Objective(LinearHead head, TrainingRows data)
    {
        var columns = data.X.Columns;
        var sum = 0.0;
        var weight =
            head.Options.Values["class_weight"] == "balanced"
                ? Enumerable
                    .Range(0, data.ClassCount)
                    .Select(k => data.Rows.Length / (double)(data.ClassCount * data.Y.Count(y => y == k)))
                    .ToArray()
                : [.. Enumerable.Repeat(1.0, data.ClassCount)];
        for (var k = 0; k < data.ClassCount; k++)
        {
            var w = head.Weights.AsSpan(k * columns, columns).ToArray();
            sum += 0.5 * w.Sum(v => (double)v * v) + 0.5 * (double)head.Bias[k] * head.Bias[k];
            foreach (var i in data.Rows)
            {
                var z = (double)head.Bias[k];
                for (var d = 0; d < columns; d++)
                    z += (double)w[d] * data.X.Row(i)[d];
                var hinge = Math.Max(0, 1 - (data.Y[i] == k ? z : -z));
                sum +=
                    double.Parse(head.Options.Values["C"], System.Globalization.CultureInfo.InvariantCulture)
                    * (data.Y[i] == k ? weight[k] : 1)
                    * hinge
                    * hinge;
            }
        }

        return sum;
    }
}
