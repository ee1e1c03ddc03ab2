using TransferPipeline.Classifiers;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Classifiers;

public sealed class PhotoFileListTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Folder_WithFilesOfOtherKinds_NamesThem()
    {
        // Windows has no such names.
        var odd = OperatingSystem.IsWindows() ? "a, 'x'.png" : "a, \"x\"\n.png";
        foreach (var file in new[] { "b/1.jpg", odd, "b/2.heic", "0.txt", "Thumbs.db", "._1.jpg", "@eaDir/1.jpg" })
            _folder.Write(file, "x");
        var notes = new List<string>();
        Assert.Equal(
            [Path.Combine(_folder.Root, odd), Path.Combine(_folder.Root, "b", "1.jpg")],
            PhotoFileList.Of([_folder.Root], note: notes.Add)
        );
        Assert.Contains($"{Path.Combine(_folder.Root, "0.txt")}: 2 files whose extension is not a photo's are passed over", notes);
        Assert.Equal(2, notes.Count);
    }

    [Theory]
    [InlineData("", "a folder, expected a photo")]
    [InlineData("caf\uFFFD.jpg", "its name is not UTF-8; rename it")]
    public void Name_OfNoFile_SaysWhatItIs(string name, string expected)
    {
        var buffer = Array.Empty<byte>();
        Assert.Equal(expected, Assert.Throws<ImageDecodeException>(() => new PhotoFile(_folder.At(name)).Read(ref buffer).Length).Message);
    }
}
