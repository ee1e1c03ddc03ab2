using TransferPipeline.Images;

namespace TransferPipeline.Tests.Images;

public sealed class PreprocessingTextTests
{
    [Theory]
    [InlineData("resize", "none", "")]
    [InlineData("resize", "256", "256")]
    [InlineData("resize", "224x192", "224 192")]
    [InlineData("resize", "[224, 192]", "224 192")]
    public void Read_SidesAsInCommandsOrPipelines_AreOneForm(string name, string text, string sides) =>
        Assert.Equal(sides, string.Join(' ', Read((name, text)).Resize!));

    [Fact]
    public void Read_ARange_IsAnOffsetAndADivisor()
    {
        var changes = Read(("range", "[-1, 1]"));
        Assert.Equal((127.5, 127.5), (changes.Offset, changes.Divisor));
        Assert.Equal(new PreprocessingOverride { Bgr = true }, Read(("bgr", "yes")));
    }

    [Theory]
    [InlineData("resize", "0")]
    [InlineData("resize", "100001")]
    [InlineData("resize", "1x2x3")]
    [InlineData("crop", "none")]
    [InlineData("crop", "")]
    [InlineData("mean", "0,5,0,5,0,5")]
    [InlineData("mean", "1,,2")]
    [InlineData("std", "1,-1,1")]
    [InlineData("range", "0,0")]
    [InlineData("offset", "127,5")]
    [InlineData("divisor", "1e400")]
    [InlineData("bgr", "maybe")]
    [InlineData("interpolation", "3")]
    public void Read_AnotherText_IsRefusedByItsName(string name, string text) =>
        Assert.StartsWith($"{name} is '{text}', expected ", Assert.Throws<UsageException>(() => Read((name, text))).Message);

    private static PreprocessingOverride Read(params (string Name, string Text)[] given) =>
        new PreprocessingText(
            given.ToDictionary(g => g.Name, g => g.Text),
            static (name, problem) => new UsageException($"{name} {problem}")
        ).Read();
}
