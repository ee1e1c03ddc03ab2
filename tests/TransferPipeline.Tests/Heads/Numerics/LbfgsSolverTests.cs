using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Numerics;
using TransferPipeline.Tests.Evaluation;

namespace TransferPipeline.Tests.Heads.Numerics;

public sealed class LbfgsSolverTests
{
    /// <summary>Float32 weights and gradients, relative to the objective in double.</summary>
    private const double Rounding = 1e-7;

    /// <summary>The reported objective: scores are float32 sums, of 80 products in a row with AVX-512 and of 320 without vectors.</summary>
    private const double ReportRounding = 1e-6;

    /// <summary>The gap is an estimate to second order.</summary>
    private const double MostExcess = 1.05;

    public static TheoryData<string, double, string> Gaps
    {
        get
        {
            var cases = new TheoryData<string, double, string>();
            foreach (var head in new[] { "softmax", "logistic" })
            {
                foreach (var c in new[] { 0.001, 1, 100 })
                {
                    foreach (var tolerance in new[] { "1e-3", "1e-5", "1e-7" })
                        cases.Add(head, c, tolerance);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Gaps))]
    public void Train_RealVectors_GapCoversTheDistanceToATightSolve(string head, double c, string tolerance)
    {
        var features = ReferenceFeatures.Hymenoptera().Data;
        var data = new TrainingRows(features.X, features.Y, [.. Enumerable.Range(0, features.Y.Length)], 2);
        CoversTheDistance(head, c, tolerance, data);
    }

    [Theory]
    [MemberData(nameof(Gaps))]
    public void Train_ManyClasses_GapCoversTheDistanceToATightSolve(string head, double c, string tolerance)
    {
        var (x, y) = Mixture.Create(900, 60, 12, 4, spread: 3);
        CoversTheDistance(head, c, tolerance, Mixture.Training(x, y, 900));
    }

    [Fact]
    public void Solve_VectorsTooLongForAMatrix_EndsWithoutOne()
    {
        var (x, y) = Mixture.Create(300, 40, 3, 8, spread: 3);
        var objectives = new List<double>();
        foreach (var mostLength in (int[])[40, 39])
        {
            using var preconditioner = new AdaptivePreconditioner(1, mostLength);
            using var objective = new LinearObjective(
                RowSet.View(x, [.. Enumerable.Range(0, 300)], y),
                new SoftmaxLoss(),
                3,
                1,
                CancellationToken.None
            )
            {
                Weights = LossWeights.ByRow([100, 100, 100]),
                BiasPenalty = 0,
            };
            using var parameters = new FloatBuffer(3L * objective.Stride);
            SolveResult result;
            unsafe
            {
                result = new LbfgsSolver(objective, preconditioner, 1).Solve([0, 1, 2], parameters.Pointer, 1e-6, 1000);
            }

            Assert.True(result.Converged);
            Assert.Equal(mostLength == 40, preconditioner.Ready);
            objectives.Add(result.Objective);
        }

        Assert.Equal(objectives[0], objectives[1], 1e-5 * objectives[0]);
    }

    [Fact]
    public void Train_LogisticClassesThatLeaveOneByOne_EndsWhereEachAloneEnds()
    {
        // Classes of 2 to 500 rows need different numbers of steps; more than 16 outputs narrow to fewer registers.
        var (x, y) = Mixture.Create(1500, 30, 20, 6, spread: 2);
        for (var i = 0; i < y.Length; i++)
            y[i] = i < 40 ? i % 20 : Math.Min(y[i], i % 7 * 3);
        var together = Train("logistic", 3, "1e-8", Mixture.Training(x, y, 1500));
        var sum = 0.0;
        for (var k = 0; k < 20; k++)
        {
            int[] one = [.. y.Select(label => label == k ? 1 : 0)];
            sum += Train("logistic", 3, "1e-8", Mixture.Training(x, one, 1500)).Fit.Objective;
        }

        Assert.True(together.Fit.Converged);
        Assert.Equal(sum, together.Fit.Objective, sum * 1e-6);
    }

    [Fact]
    public void Train_HugeC_ConvergesFromZero()
    {
        // The first slopes are 1e13 times the last ones.
        var (x, y) = Mixture.Create(600, 40, 6, 8, spread: 40);
        var head = Train("softmax", 10000, "1e-6", Mixture.Training(x, y, 600));
        Assert.True(head.Fit.Converged);
        Assert.InRange(head.Fit.Passes, 2, 400);
    }

    private static void CoversTheDistance(string head, double c, string tolerance, TrainingRows data)
    {
        var tight = Train(head, c, "1e-9", data);
        var loose = Train(head, c, tolerance, data);
        Assert.True(loose.Fit.Converged);
        Assert.InRange(loose.Fit.RelativeGap, 0, double.Parse(tolerance));
        var (reached, optimum) = (Objective(loose, c, data), Objective(tight, c, data));
        Assert.Equal(reached, loose.Fit.Objective, ReportRounding * reached);
        Assert.True(
            reached <= optimum * (1 + MostExcess * loose.Fit.RelativeGap + Rounding),
            $"{reached} is {reached / optimum - 1:E1} above {optimum}, gap {loose.Fit.RelativeGap:E1}"
        );
    }

    /// <summary>
    /// scikit-learn's objective in double: half the squared weights plus C times the losses, each output on its own for logistic. Two
    /// classes have one output, of which softmax's columns are plus and minus a half.
    /// </summary>
    private static double Objective(LinearHead head, double c, TrainingRows data)
    {
        var columns = data.X.Columns;
        var isBinary = data.ClassCount == 2;
        var share = isBinary && head.Name == "softmax" ? 0.5 : 1;
        int[] outputs = isBinary ? [1] : [.. Enumerable.Range(0, data.ClassCount)];
        var sum = outputs.Sum(k => 0.5 * head.Weights.AsSpan(k * columns, columns).ToArray().Sum(w => w / share * (w / share)));
        foreach (var i in data.Rows)
        {
            var scores = Array.ConvertAll(outputs, k => Score(head, k, data.X.Row(i)) / share);
            sum +=
                c
                * (
                    isBinary || head.Name == "logistic"
                        ? outputs.Zip(scores, (k, z) => LogOnePlusExp(data.Y[i] == k ? -z : z)).Sum()
                        : scores.Max() + Math.Log(scores.Sum(z => Math.Exp(z - scores.Max()))) - scores[data.Y[i]]
                );
        }

        return sum;
    }

    private static double Score(LinearHead head, int output, ReadOnlySpan<float> row)
    {
        var z = (double)head.Bias[output];
        for (var d = 0; d < row.Length; d++)
            z += (double)head.Weights[output * row.Length + d] * row[d];
        return z;
    }

    private static double LogOnePlusExp(double z) => Math.Max(0, z) + Math.Log(1 + Math.Exp(-Math.Abs(z)));

    private static LinearHead Train(string head, double c, string tolerance, TrainingRows data)
    {
        var trainer = HeadCatalog.Find(head);
        return (LinearHead)
            trainer.Train(data, HeadOptions.Parse(trainer).With("C", c).With("tol", double.Parse(tolerance)), new TrainingContext());
    }
}
