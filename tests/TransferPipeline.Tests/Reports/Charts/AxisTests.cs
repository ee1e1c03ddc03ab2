using TransferPipeline.Reports;

namespace TransferPipeline.Tests.Reports.Charts;

public sealed class AxisTests
{
    /// <summary>Neighbouring numbers of this size are further apart than the range that a single value is given.</summary>
    [Theory]
    [InlineData(1e15)]
    [InlineData(1e17)]
    [InlineData(-3e40)]
    [InlineData(1e300)]
    public void Linear_OfASingleLargeValue_HasARange(double value)
    {
        var axis = Axis.Linear([value, value], 0, 100);
        Assert.InRange(axis.Ticks.Count, 1, 20);
        Assert.Equal(axis.Ticks.Distinct(), axis.Ticks);
        Assert.Equal(50, axis.At(value), 3.0);
    }

    /// <summary>As a sweep over C can have them: their ratio is more than a number holds.</summary>
    [Theory]
    [InlineData(1e-200, 1e200)]
    [InlineData(double.Epsilon, double.MaxValue)]
    public void Logarithmic_OverMoreDecadesThanNumbersHave_HasTicks(double low, double high)
    {
        var axis = Axis.Logarithmic([low, 1, high], 0, 100);
        Assert.InRange(axis.Ticks.Count, 2, 20);
        Assert.All(axis.Ticks, tick => Assert.InRange(axis.At(tick), 0, 100));
        Assert.True(axis.At(low) < axis.At(1) && axis.At(1) < axis.At(high));
    }

    /// <summary>A learning rate of 0.001 between -0.05 and 0.05 would stand at 0.</summary>
    [Theory]
    [InlineData(0.001)]
    [InlineData(-0.02)]
    [InlineData(1e-12)]
    [InlineData(0)]
    public void Linear_OfASingleSmallValue_HasARangeOfItsSize(double value)
    {
        var axis = Axis.Linear([value], 0, 100, margin: 0);
        Assert.InRange(axis.Ticks.Count, 1, 20);
        Assert.Equal(50, axis.At(value), 3.0);
        Assert.True(Math.Abs(value) < 1e-9 || axis.At(0) is < 0 or > 100);
    }

    [Fact]
    public void WithWholeTicks_OfAFewNeighbours_HasNoneBetweenThem() =>
        Assert.Equal([1, 2, 3], Axis.Fitting([1, 2, 3], 0, 100).WithWholeTicks().Ticks);

    [Fact]
    public void Linear_OfASingleUsualValue_HasATenthAroundIt()
    {
        var axis = Axis.Linear([0.7], 0, 100, margin: 0);
        Assert.Equal((0, 100), (Math.Round(axis.At(0.65)), Math.Round(axis.At(0.75))));
    }
}
