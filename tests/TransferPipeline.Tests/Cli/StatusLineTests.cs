using TransferPipeline.Cli.Output;
using TransferPipeline.Extraction;

namespace TransferPipeline.Tests.Cli;

public sealed class StatusLineTests
{
    private static readonly ExtractionProgress Progress = new(1200, 4000, 231.4, TimeSpan.FromHours(49.5))
    {
        Shares = new(0.05, 0.15, 0.05, 0.75, 0.01),
    };

    private static readonly IReadOnlyList<string> Parts = ExtractionProgressView.Parts("efficientnet-lite0", Progress, bar: true);

    [Theory]
    [InlineData(20)]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(0)]
    public void Fit_AnyWidth_StaysOnOneLine(int width) =>
        Assert.InRange(StatusLine.Fit(Parts, width).Length, 1, (width == 0 ? 80 : width) - 1);

    [Fact]
    public void Fit_WideEnough_TellsAll() =>
        Assert.Equal(
            "efficientnet-lite0 [###.........] 1200/4000  231 per second  49:30:00 left  read 5 % decode 15 % resize 5 % infer 75 % "
                + "write 1 %",
            StatusLine.Fit(Parts, 200)
        );

    [Fact]
    public void Fit_EightyCharacters_KeepsCountSpeedAndTimeLeft() =>
        Assert.EndsWith("1200/4000  231 per second  49:30:00 left", StatusLine.Fit(Parts, 80), StringComparison.Ordinal);

    [Theory]
    [InlineData(59.9, "0:00:59")]
    [InlineData(3600, "1:00:00")]
    [InlineData(90061, "25:01:01")]
    public void Time_HoursBeyondADay_AreCountedOn(double seconds, string text) =>
        Assert.Equal(text, StatusLine.Time(TimeSpan.FromSeconds(seconds)));
}
