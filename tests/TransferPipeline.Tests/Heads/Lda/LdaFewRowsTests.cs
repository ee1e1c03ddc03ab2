using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Tests.Evaluation;

namespace TransferPipeline.Tests.Heads;

/// <summary>lda where classes have hardly any rows.</summary>
public sealed class LdaFewRowsTests
{
    private static readonly IHeadTrainer Trainer = HeadCatalog.Find("lda");

    [Theory]
    [InlineData(new[] { 1, 2, 40 })]
    [InlineData(new[] { 3, 2, 1 })]
    [InlineData(new[] { 12, 30 })]
    [InlineData(new[] { 2, 2, 2 })]
    public void Train_AnyCounts_IsTheFormula(int[] counts)
    {
        var (x, y, rows) = Make(counts, 9);
        var head = Trainer.Train(new(x, y, rows, counts.Length), HeadOptions.Parse(Trainer), new());
        var (expected, found) = (Plain(x, y, counts), HeadChecks.Scores(head, x, rows));

        // Scores of two classes are given with opposite signs: what they mean is their difference.
        for (var i = 0; i < rows.Length; i++)
        {
            for (var k = 1; k < counts.Length; k++)
            {
                var (e, f) = (expected[i][k] - expected[i][0], found[i * counts.Length + k] - found[i * counts.Length]);
                Assert.InRange(f - e, -1e-4 * (1 + Math.Abs(e)), 1e-4 * (1 + Math.Abs(e)));
            }
        }
    }

    [Fact]
    public void Train_TwoPhotosAClass_IsFarBetterThanChance()
    {
        // The share of scikit-learn's lsqr is 0 here and its accuracy 0.43, less than chance; its NearestCentroid reaches 0.84.
        var data = ReferenceFeatures.Hymenoptera().Data;
        var (right, evaluated) = (0, 0);
        for (var draw = 0; draw < 10; draw++)
        {
            int[] train = [.. data.Y.Index().GroupBy(p => p.Item).SelectMany(g => g.Skip(5 * draw).Take(2)).Select(p => p.Index).Order()];
            var head = Trainer.Train(new(data.X, data.Y, train, 2), HeadOptions.Parse(Trainer), new());
            int[] rest = [.. Enumerable.Range(0, data.X.Rows).Except(train)];
            right += HeadChecks.Predictions(HeadChecks.Scores(head, data.X, rest), 2).Zip(rest).Count(p => p.First == data.Y[p.Second]);
            evaluated += rest.Length;
        }

        Assert.InRange((double)right / evaluated, 0.8, 1);
    }

    [Fact]
    public void Train_NoShrinkageWithFewerRowsThanValues_IsRefusedAndNotShrunk()
    {
        var (x, y, rows) = Make([3, 3], 9);
        var settings = HeadOptions.Parse(Trainer, new Dictionary<string, string> { ["shrinkage"] = "0" });
        var error = Assert.Throws<BadInputException>(() => Trainer.Train(new(x, y, rows, 2), settings, new()));
        Assert.StartsWith("lda: the covariance with shrinkage=0 is singular", error.Message);
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("0.5")]
    public void Train_OneRowAClass_SaysThatThereIsNoCovariance(string shrinkage)
    {
        var (x, y, rows) = Make([1, 1, 1], 4);
        var settings = HeadOptions.Parse(Trainer, new Dictionary<string, string> { ["shrinkage"] = shrinkage });
        var error = Assert.Throws<BadInputException>(() => Trainer.Train(new(x, y, rows, 3), settings, new()));
        Assert.Equal(
            "lda: every class has one training row only, so there is no covariance to estimate; take nearest-mean, or add rows",
            error.Message
        );
    }

    private static (FeatureMatrix X, int[] Y, int[] Rows) Make(int[] counts, int columns)
    {
        var random = new Random(7);
        int[] y = [.. counts.Index().SelectMany(c => Enumerable.Repeat(c.Index, c.Item))];
        var x = new FeatureMatrix(y.Length, columns);
        for (var i = 0; i < y.Length; i++)
        {
            for (var d = 0; d < columns; d++)
                x.Row(i)[d] = (float)(random.NextDouble() * (1 + d) + (y[i] == d ? 2 : 0));
        }

        return (x, y, [.. Enumerable.Range(0, y.Length)]);
    }

    /// <summary>
    /// Scores by the definition: Ledoit and Wolf's share from the rows' own squared distances to the covariance; the mean variance alone
    /// when no class has three rows.
    /// </summary>
    private static double[][] Plain(FeatureMatrix x, int[] y, int[] counts)
    {
        var n = x.Columns;
        var (pooled, means) = (new double[n, n + counts.Length], new double[counts.Length][]);
        for (var k = 0; k < counts.Length; k++)
        {
            double[][] rows =
            [
                .. Enumerable.Range(0, x.Rows).Where(i => y[i] == k).Select(i => Array.ConvertAll(x.Row(i).ToArray(), v => (double)v)),
            ];
            var mean = means[k] = [.. Enumerable.Range(0, n).Select(d => rows.Average(r => r[d]))];
            double[] scale =
            [
                .. Enumerable.Range(0, n).Select(d => rows.Average(r => Math.Pow(r[d] - mean[d], 2)) is > 0 and var v ? Math.Sqrt(v) : 1),
            ];
            double[][] z = [.. rows.Select(r => r.Select((v, d) => (v - mean[d]) / scale[d]).ToArray())];
            var s = new double[n, n];
            for (var i = 0; i < n; i++)
            {
                for (var j = 0; j < n; j++)
                    s[i, j] = z.Average(r => r[i] * r[j]);
            }

            if (counts.Max() < 3)
            {
                for (var d = 0; d < n; d++)
                    (pooled[d, d], pooled[d, n + k]) = (
                        pooled[d, d]
                            + (double)counts[k] / y.Length * rows.Average(r => r.Select((v, j) => Math.Pow(v - mean[j], 2)).Average()),
                        mean[d]
                    );
                continue;
            }

            var mu = Enumerable.Range(0, n).Average(d => s[d, d]);
            var (delta, beta) = (0.0, 0.0);
            for (var i = 0; i < n; i++)
            {
                for (var j = 0; j < n; j++)
                {
                    delta += Math.Pow(s[i, j] - (i == j ? mu : 0), 2);
                    beta += z.Average(r => Math.Pow(r[i] * r[j] - s[i, j], 2)) / z.Length;
                }
            }

            var share = beta < 1e-12 ? 0 : Math.Min(beta, delta) / delta;
            for (var i = 0; i < n; i++)
            {
                for (var j = 0; j < n; j++)
                    pooled[i, j] +=
                        (double)counts[k] / y.Length * scale[i] * scale[j] * ((1 - share) * s[i, j] + (i == j ? share * mu : 0));
                pooled[i, n + k] = mean[i];
            }
        }

        Eliminate(pooled, n);
        return
        [
            .. Enumerable
                .Range(0, x.Rows)
                .Select(i =>
                    Enumerable
                        .Range(0, counts.Length)
                        .Select(k =>
                            Math.Log((double)counts[k] / y.Length)
                            + Enumerable.Range(0, n).Sum(d => pooled[d, n + k] * (x.Row(i)[d] - means[k][d] / 2))
                        )
                        .ToArray()
                ),
        ];
    }

    /// <summary>Gauss and Jordan: the columns from n on become the solutions.</summary>
    private static void Eliminate(double[,] a, int n)
    {
        for (var p = 0; p < n; p++)
        {
            for (var i = 0; i < n; i++)
            {
                var factor = i == p ? 0 : a[i, p] / a[p, p];
                for (var j = p; factor != 0 && j < a.GetLength(1); j++)
                    a[i, j] -= factor * a[p, j];
            }

            var pivot = a[p, p];
            for (var j = p; j < a.GetLength(1); j++)
                a[p, j] /= pivot;
        }
    }
}
