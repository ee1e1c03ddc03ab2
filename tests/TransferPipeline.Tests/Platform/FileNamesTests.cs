using TransferPipeline.Platform;

namespace TransferPipeline.Tests.Platform;

/// <summary>Names that every platform can have.</summary>
public sealed class FileNamesTests
{
    [Theory]
    [InlineData("out")]
    [InlineData("c\u00f4t\u00e9 2.yaml")]
    [InlineData("console")]
    [InlineData(".hidden")]
    [InlineData("com10")]
    public void Problem_OfANameThatAllPlatformsHave_IsNull(string name) => Assert.Null(FileNames.Problem(name));

    [Theory]
    [InlineData("")]
    [InlineData("a:b")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("what?")]
    [InlineData("a\tb")]
    [InlineData("out.")]
    [InlineData("out ")]
    [InlineData("NUL")]
    [InlineData("con.yaml")]
    [InlineData("Com1.tar.gz")]
    public void Problem_OfANameThatOnePlatformRefuses_IsNamed(string name) => Assert.NotNull(FileNames.Problem(name));

    [Fact]
    public void Problem_OfAName_CountsItsBytes()
    {
        Assert.Null(FileNames.Problem(new string('x', 255)));
        Assert.Equal("it is longer than 255 bytes", FileNames.Problem(new string('\u00e9', 128)));
    }

    [Theory]
    [InlineData("efficientnet-lite0", "efficientnet-lite0")]
    [InlineData("resnet-/layer4/Relu:0", "resnet-_layer4_Relu_0")]
    [InlineData("con.fp16", "con_fp16_")]
    [InlineData("model..", "model_")]
    [InlineData("..", "_")]
    [InlineData("Äther", "_ther")]
    public void Of_AnyText_IsANameOfAllPlatforms(string text, string name)
    {
        Assert.Equal(name, FileNames.Of(text));
        Assert.Null(FileNames.Problem(name));
    }

    [Theory]
    [InlineData("models", "models/weights.bin", true)]
    [InlineData("models", "models/a/weights.bin", true)]
    [InlineData("models", "models2/weights.bin", false)]
    [InlineData("models", "weights.bin", false)]
    public void IsInside_ComparesWholeFolders(string folder, string file, bool inside)
    {
        // Whole paths, with the system's separators.
        folder = Path.GetFullPath(folder, Path.GetTempPath());
        file = Path.GetFullPath(file, Path.GetTempPath());
        Assert.Equal(inside, FileNames.IsInside(folder, file));
        Assert.Equal(inside, FileNames.IsInside(folder + Path.DirectorySeparatorChar, file));
    }

    [Fact]
    public void IsInside_TheRoot_HoldsAll() =>
        Assert.True(FileNames.IsInside(Path.GetPathRoot(Path.GetTempPath())!, Path.GetTempFileName()));
}
