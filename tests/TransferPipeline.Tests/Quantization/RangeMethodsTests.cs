using TransferPipeline.Quantization;

namespace TransferPipeline.Tests.Quantization;

/// <summary>Ranges beside values computed by hand or by trying all of them.</summary>
public sealed class RangeMethodsTests
{
    [Fact]
    public void Range_OfSignedValues_HasALevelForZero()
    {
        var range = QuantizedRange.Of(-1, 3);
        // 4 / 255 = 0.0156863; 1 / 0.0156863 = 63.75, which rounds to 64.
        Assert.Equal(4f / 255, range.Scale);
        Assert.Equal(64, range.ZeroPoint);
        Assert.Equal(-64 * 4.0 / 255, range.Low, 6);
    }

    [Theory]
    [InlineData(0.5, 6, 0, 6)] // widened to 0
    [InlineData(-8, -2, 255, 0)]
    [InlineData(0, 6, 0, 6)]
    public void Range_OfValuesOnOneSide_EndsAtZero(double low, double high, byte zeroPoint, double end)
    {
        var range = QuantizedRange.Of(low, high);
        Assert.Equal(zeroPoint, range.ZeroPoint);
        Assert.Equal(end, range.High, 5);
    }

    [Fact]
    public void Range_OfZeros_IsUsable() => Assert.Equal(new(1f, 0), QuantizedRange.Of(0, 0));

    [Fact]
    public void Histogram_CountsValuesAndZeros()
    {
        var histogram = new Histogram(0, 4, bins: 4);
        histogram.Add([0f, 0f, 0.5f, 1f, 1.9f, 3.999f, 4f]);
        Assert.Equal([1, 2, 0, 2], histogram.Counts.ToArray());
        Assert.Equal(2, histogram.Zeros);
        Assert.Equal(0.5, histogram.Center(0));
    }

    [Fact]
    public void Minmax_IsTheSmallestAndTheLargestValue()
    {
        var histogram = Histogram(-2, 6, [-2f, 1f, 6f]);
        Assert.Equal(QuantizedRange.Of(-2, 6), RangeMethods.Choose(CalibrationMethod.Minmax, histogram));
    }

    /// <summary>100,000 values in 0..1 with 9 outliers at 10 on one side: 1e-4 of them are 10, so all 9 are left out.</summary>
    [Fact]
    public void Percentile_LeavesOutOneOfTenThousand()
    {
        var values = Enumerable.Range(1, 100_000).Select(i => i / 100_000f).Concat(Enumerable.Repeat(10f, 9)).ToArray();
        var (_, high) = RangeMethods.Percentile(Histogram(0, 10, values));
        // The bin of 1.0 ends at the next multiple of 10 / 2048.
        Assert.InRange(high, 1.0 - (10.0 / 2048), 1.0 + (10.0 / 2048));
    }

    [Fact]
    public void Percentile_WithMoreOutliers_KeepsThem()
    {
        var values = Enumerable.Range(1, 100_000).Select(i => i / 100_000f).Concat(Enumerable.Repeat(10f, 11)).ToArray();
        Assert.Equal(10, RangeMethods.Percentile(Histogram(0, 10, values)).High, 3);
    }

    /// <summary>The error of a range beside rounding each value to its levels.</summary>
    [Theory]
    [InlineData(-1, 1)]
    [InlineData(-0.5, 0.8)]
    [InlineData(-3, 3)]
    public void Error_IsThatOfRoundingEachValue(double low, double high)
    {
        var values = Normal(200_000);
        var error = RangeMethods.Error(Histogram(values.Min(), values.Max(), values), low, high);
        var range = QuantizedRange.Of(low, high);
        var exact = values.Sum(v =>
        {
            var level = Math.Clamp(Math.Round(v / range.Scale) + range.ZeroPoint, 0, 255);
            var gap = v - (range.Scale * (level - range.ZeroPoint));
            return gap * gap;
        });
        Assert.InRange(error / exact, 0.97, 1.03);
    }

    /// <summary>No other range on a fine grid has a smaller error by more than the search's own step costs.</summary>
    [Fact]
    public void Mse_IsTheBestOfAllRanges()
    {
        // A few values far out: covering them costs the many near 0 more than clipping does.
        float[] values = [.. Normal(100_000), 30f, -25f, 28f];
        var histogram = Histogram(values.Min(), values.Max(), values);
        var (low, high) = RangeMethods.Mse(histogram);
        var found = RangeMethods.Error(histogram, low, high);
        var best = double.PositiveInfinity;
        for (var a = 0.05; a <= 1; a += 0.02)
        {
            for (var b = 0.05; b <= 1; b += 0.02)
                best = Math.Min(best, RangeMethods.Error(histogram, a * histogram.Min, b * histogram.Max));
        }

        Assert.InRange(found, 0, 1.05 * best);
        Assert.True(found < 0.9 * RangeMethods.Error(histogram, histogram.Min, histogram.Max));
    }

    /// <summary>Of values that fill the range evenly nothing can be cut; of a narrow heap with far outliers most of the range is.</summary>
    [Fact]
    public void Entropy_CutsOutliersAndNothingElse()
    {
        var even = Enumerable.Range(0, 204_800).Select(i => (i + 0.5f) / 204_800f).ToArray();
        Assert.InRange(RangeMethods.Entropy(Histogram(0, 1, even)).High, 0.98, 1);
        float[] heap = [.. Normal(200_000).Select(v => v * 0.1f), 4f, -4f];
        var (low, high) = RangeMethods.Entropy(Histogram(-4, 4, heap));
        Assert.InRange(high, 0.39, 2);
        Assert.InRange(low, -2, -0.39);
    }

    private static Histogram Histogram(float min, float max, float[] values)
    {
        var histogram = new Histogram(min, max);
        histogram.Add(values);
        return histogram;
    }

    private static float[] Normal(int count)
    {
        var random = RandomStream.OfDraws(7);
        return [.. Enumerable.Range(0, count).Select(i => (float)random.NormalAt((ulong)i))];
    }
}
