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
    public void Bytes_OfAStreamWithoutEnd_IsBadInput()
    {
        var error = Assert.Throws<BadInputException>(() => InputFile.Bytes(new EndlessStream(), "names", most: 1 << 20));
        Assert.StartsWith("names has more than 1 MiB, or never ends as some devices do", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_OfALongFile_AreAllOfThem()
    {
        using var folder = new TempFolder();
        var content = Enumerable.Range(0, 200_000).Select(i => (byte)i).ToArray();
        Assert.Equal(content, InputFile.Bytes(folder.Write("long", content)));
    }

    [Fact]
    public void Json_WithAByteOrderMark_IsWithoutIt()
    {
        using var folder = new TempFolder();
        Assert.Equal("{}"u8, InputFile.Json(folder.Write("marked.json", "\uFEFF{}")).Span);
        Assert.Equal("{}"u8, InputFile.Json(folder.Write("plain.json", "{}")).Span);
    }

    /// <summary>Zeros for ever, as /dev/zero and /dev/full give.</summary>
    private sealed class EndlessStream : MemoryStream
    {
        public override int Read(Span<byte> buffer)
        {
            buffer.Clear();
            return buffer.Length;
        }
    }
}
