namespace TransferPipeline.Tests;

public sealed class InputFileTests
{
    [Fact]
    public void Read_WithoutTheRightTo_IsBadInputThatNamesTheFile()
    {
        // Whoever runs the tests may read every file where they run as root; a folder is opened by nobody.
        using var folder = new TempFolder();
        var error = Assert.Throws<BadInputException>(() => InputFile.Read(folder.Root, () => File.ReadAllBytes(folder.Root)));
        Assert.StartsWith($"{folder.Root} cannot be read: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OfAFileThatIsGone_IsBadInputThatNamesTheFile()
    {
        using var folder = new TempFolder();
        var file = folder.At("gone");
        var error = Assert.Throws<BadInputException>(() => InputFile.Read(file, () => File.ReadAllBytes(file)));
        Assert.StartsWith($"{file} cannot be read: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_WithAByteOrderMark_IsWithoutIt()
    {
        using var folder = new TempFolder();
        Assert.Equal("{}"u8, InputFile.Json(folder.Write("marked.json", "\uFEFF{}")).Span);
        Assert.Equal("{}"u8, InputFile.Json(folder.Write("plain.json", "{}")).Span);
    }
}
