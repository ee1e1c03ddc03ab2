using System.Text.Json;
using TransferPipeline.Evaluation;

namespace TransferPipeline.Tests.Evaluation.Maps;

public sealed class FeatureMapperTests
{
    /// <summary>The memory of a map grows with the square of its points.</summary>
    [Fact]
    public void Sample_OfMoreClassesThanPoints_IsLimited()
    {
        const int Classes = 4000;
        var set = Synthetic.Set(Classes, columns: 1, perSplit: ("train", 2));
        var sample = FeatureMapper.Sample(FeatureView.Align([set])[0], 0);
        Assert.Equal(2 * FeatureMapper.MostPoints, sample.Length);
        Assert.Equal(sample.Distinct().Order(), sample);
        Assert.InRange(sample[^1], 2 * Classes - 10, 2 * Classes - 1);
    }

    [Fact]
    public void Run_RealFeatures_HasScikitLearnsPrincipalComponents()
    {
        var map = Map(View(ReferenceFeatures.Hymenoptera()), 0, 2);
        var golden = JsonDocument
            .Parse(
                File.ReadAllText(
                    Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Evaluation", "Maps", "MapGoldens.json")
                )
            )
            .RootElement;
        var expected = golden.GetProperty("coordinates").EnumerateArray().Select(p => (X: p[0].GetDouble(), Y: p[1].GetDouble())).ToArray();
        var (signX, signY) = (Math.Sign(expected[0].X * map.Points[0].PcaX), Math.Sign(expected[0].Y * map.Points[0].PcaY));

        Assert.Equal(golden.GetProperty("explained")[0].GetDouble(), map.ExplainedVariance[0], 1e-6);
        Assert.Equal(golden.GetProperty("explained")[1].GetDouble(), map.ExplainedVariance[1], 1e-6);
        Assert.All(
            expected.Zip(map.Points),
            pair =>
            {
                Assert.Equal(pair.First.X, signX * pair.Second.PcaX, 2e-3);
                Assert.Equal(pair.First.Y, signY * pair.Second.PcaY, 2e-3);
            }
        );
        Assert.True(map.Points.MaxBy(p => Math.Abs(p.PcaX))!.PcaX > 0);
    }

    [Fact]
    public void Run_RealFeatures_PutsNeighboursOfAClassTogether()
    {
        // Ants and bees are distinguished by nearest neighbours in the vectors (accuracy 0.95); the map must keep that.
        var points = Map(View(ReferenceFeatures.Hymenoptera()), 0, 2).Points;
        Assert.InRange(NeighbourAgreement(points), 0.9, 1);
    }

    [Fact]
    public void Run_TwiceWithOneAndTwoThreads_GivesTheSameMap()
    {
        var view = View(Synthetic.Set(classes: 5, columns: 20, perSplit: [("train", 30)]));
        var map = Map(view, 4, 1);
        Assert.Equal(map.Points, Map(view, 4, 2).Points);
        Assert.InRange(NeighbourAgreement(map.Points), 0.95, 1);
    }

    [Fact]
    public void Run_ManyPhotos_DrawsAStratifiedSample()
    {
        var set = Synthetic.Set(classes: 3, columns: 4, perSplit: [("train", 700)]);
        var map = Map(View(set), 1, 2);
        Assert.Equal([500, 500, 500], map.Points.CountBy(p => p.Class).OrderBy(c => c.Key).Select(c => c.Value));
        Assert.Equal(map.Points.Select(p => p.Path), map.Points.Select(p => p.Path).Distinct());
    }

    [Theory]
    [InlineData(3, 4, 20)]
    [InlineData(2, 3, 3)]
    [InlineData(4, 6, 1)]
    public void Run_FewerDimensionsThanVectorsOfTheIteration_HasTheSharesOfTheVariance(int classes, int columns, int copies)
    {
        // Copies of one photo per class, the k-th at (k + 1) along an axis of its own: the centred products are known, and few are not 0.
        var (x, y) = (new FeatureMatrix(classes * copies, columns), new int[classes * copies]);
        x.Data.AsSpan().Clear();
        for (var r = 0; r < y.Length; r++)
            x.Row(r)[y[r] = r % classes] = y[r] + 1;
        var map = Map(View(Synthetic.Source(x, y, [.. y.Select(_ => "train")], classes)), 0, 2);

        var mean = Enumerable.Range(0, classes).Select(k => (k + 1.0) / classes).ToArray();
        var trace = Enumerable.Range(0, classes).Sum(k => ((k + 1) * (k + 1) / (double)classes) - (mean[k] * mean[k]));
        Assert.All(map.ExplainedVariance, share => Assert.InRange(share, 0, 1));
        Assert.InRange(map.ExplainedVariance.Sum(), classes <= 3 ? 0.999999 : 0.5, 1.000001);
        for (var axis = 0; axis < 2; axis++)
        {
            var along = map.Points.Select(p => axis == 0 ? p.PcaX : p.PcaY).ToArray();
            Assert.Equal(0, along.Sum(), 1e-4 * y.Length);
            Assert.Equal(map.ExplainedVariance[axis], along.Sum(a => a * a) / (y.Length * trace), 1e-5);
        }

        Assert.Equal(0, map.Points.Sum(p => p.PcaX * p.PcaY), 1e-4 * y.Length);
    }

    [Fact]
    public void Run_EqualVectors_GivesFiniteNumbers()
    {
        var set = Synthetic.Set(perSplit: [("train", 5)]);
        Array.Fill(set.Data.X.Data, 1);
        Assert.All(Map(View(set), 0, 1).Points, p => Assert.True(double.IsFinite(p.PcaX + p.PcaY + p.EmbeddingX + p.EmbeddingY)));
    }

    private static FeatureMap Map(FeatureView view, int seed, int threads) =>
        FeatureMapper.Run(view, 0, seed, threads, TestContext.Current.CancellationToken);

    private static FeatureView View(FeatureSource source) => FeatureView.Align([source])[0];

    /// <summary>Share of points whose five nearest in the embedding are mostly of their class.</summary>
    private static double NeighbourAgreement(IReadOnlyList<MapPoint> points) =>
        points.Average(p =>
            points
                .Where(o => o != p)
                .OrderBy(o => Math.Pow(o.EmbeddingX - p.EmbeddingX, 2) + Math.Pow(o.EmbeddingY - p.EmbeddingY, 2))
                .Take(5)
                .Count(o => o.Class == p.Class) >= 3
                ? 1.0
                : 0.0
        );
}
