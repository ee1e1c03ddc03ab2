using TransferPipeline.Reports;

namespace TransferPipeline.Tests.Reports;

public sealed class FiguresTests
{
    [Theory]
    [InlineData(1, 1, "100\u202F%")]
    [InlineData(999, 1000, "> 99\u202F%")]
    [InlineData(995, 1000, "> 99\u202F%")]
    [InlineData(994, 1000, "99\u202F%")]
    [InlineData(1, 2, "50\u202F%")]
    [InlineData(5, 1000, "1\u202F%")]
    [InlineData(4, 1000, "< 1\u202F%")]
    [InlineData(0, 5, "0\u202F%")]
    [InlineData(0, 0, "\u2013")]
    public void Percent_OfNearlyAllOrNothing_IsNotCalledSo(double count, double of, string expected) =>
        Assert.Equal(expected, Figures.Percent(count / of));
}
