namespace TransferPipeline.Tests;

public sealed class NumberRangeTests
{
    private static readonly NumberRange FromZero = new(0, double.PositiveInfinity);

    [Theory]
    [InlineData("0", 0.0)]
    [InlineData("-0", 0.0)]
    [InlineData("+1e3", 1000.0)]
    [InlineData("0.001", 0.001)]
    [InlineData("0,001", null)]
    [InlineData("1,000", null)]
    [InlineData("1_000", null)]
    [InlineData("0x10", null)]
    [InlineData("1e400", null)]
    [InlineData("NaN", null)]
    [InlineData("Infinity", null)]
    [InlineData("-1", null)]
    [InlineData("\u0663", null)]
    public void Number_OfAText_IsFiniteAndInRange(string text, double? expected) => Assert.Equal(expected, FromZero.Number(text));

    [Theory]
    [InlineData("3", 3)]
    [InlineData("+3", 3)]
    [InlineData("1,000", null)]
    [InlineData("1e3", null)]
    [InlineData("3.0", null)]
    [InlineData("99999999999", null)]
    [InlineData("-1", null)]
    public void Whole_OfAText_IsAnIntInRange(string text, int? expected) => Assert.Equal(expected, FromZero.Whole(text));

    [Theory]
    [InlineData("many", "a whole number of at least 0")]
    [InlineData("1,5", "a whole number of at least 0")]
    [InlineData("99999999999", "a whole number from 0 to 2147483647")]
    [InlineData("-99999999999", "a whole number from 0 to 2147483647")]
    public void ExpectedWhole_BeyondAnInt_NamesItsLimits(string text, string expected) =>
        Assert.Equal(expected, FromZero.ExpectedWhole(text));

    [Fact]
    public void Expected_OfEachForm_NamesTheLimits()
    {
        Assert.Equal("a number", NumberRange.All.ExpectedNumber("x"));
        Assert.Equal("a finite number", NumberRange.All.ExpectedNumber("1e400"));
        Assert.Equal("a whole number from -2147483648 to 2147483647", NumberRange.All.ExpectedWhole("-2147483649"));
        Assert.Equal("a number from 0.5 to 1", new NumberRange(0.5, 1).ExpectedNumber("2"));
        Assert.Equal("a number of at most 1", new NumberRange(double.NegativeInfinity, 1).ExpectedNumber("2"));
        Assert.Equal("a number greater than 0", new NumberRange(0, double.PositiveInfinity, ExclusiveMin: true).ExpectedNumber("0"));
        Assert.Equal("a number greater than 0 and of at most 1", new NumberRange(0, 1, ExclusiveMin: true).ExpectedNumber("0"));
    }
}
