using System.Formats.Tar;
using System.IO.Compression;
using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

public sealed class TarDatasetTests : IDisposable
{
    private static readonly DateTimeOffset Time = new(2024, 5, 6, 7, 8, 9, TimeSpan.Zero);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("photos.tar", true)]
    [InlineData("photos.tar", false)]
    [InlineData("photos.tar.gz", false)]
    [InlineData("photos.tgz", true)]
    public void Open_RealPhotos_GivesTheFolderFormsPhotos(string name, bool wrapped)
    {
        var root = Path.Combine(SharedData.Repository, "samples", "clothing");
        var file = _folder.At(name);
        var plain = _folder.At("plain.tar");
        TarFile.CreateFromDirectory(root, plain, includeBaseDirectory: wrapped);
        Compress(plain, file);
        using var folder = DatasetReader.Open(new DatasetOptions { Path = root });
        using var data = DatasetReader.Open(new DatasetOptions { Path = file });

        Assert.Equal(folder.Entries, data.Entries);
        Assert.Empty(data.Problems);
        Parallel.For(
            0,
            data.Entries.Count,
            i =>
            {
                Assert.Equal(folder.Bytes(i), data.Bytes(i));
                Assert.Equal(folder.Stamp(i).Bytes, data.Stamp(i).Bytes);
            }
        );
    }

    [Fact]
    public void Open_MembersOfAllKinds_TakesFilesAndNamesTheRest()
    {
        var file = Make(
            File("./a/1.jpg", "one"),
            File("b/2.jpg", "two"),
            File("a/1.jpg", "later"),
            new PaxTarEntry(TarEntryType.SymbolicLink, "a/link.jpg") { LinkName = "1.jpg" },
            new PaxTarEntry(TarEntryType.Directory, "c/")
        );
        using var data = DatasetReader.Open(new DatasetOptions { Path = file });

        Assert.Equal(["a/1.jpg", "b/2.jpg"], data.Entries.Select(e => e.Path));
        Assert.Equal("later"u8, data.Bytes(0));
        Assert.Equal(new PhotoStamp(5, Time.ToUnixTimeSeconds() * 1_000_000_000), data.Stamp(0));
        Assert.Equal(
            [
                "a/1.jpg: twice in the archive; the later one is taken",
                "a/link.jpg: ignored: a link or special file in the archive",
                "c: the class folder has no photos; the class is left out",
            ],
            data.Problems.Where(p => !p.Problem.StartsWith("the class has no photo in split")).Select(p => $"{p.Path}: {p.Problem}")
        );
    }

    [Theory]
    [InlineData("../out.jpg")]
    [InlineData("a/../../out.jpg")]
    [InlineData("/etc/a/1.jpg")]
    public void Open_MemberThatClimbsOut_IsRefused(string name)
    {
        var file = Make(File("a/1.jpg", "one"), File(name, "x"));
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = file }));
        Assert.StartsWith($"{file} has a member '{name}' that leads out of the archive", error.Message);
    }

    [Theory]
    [InlineData("cut.tar", 700)]
    [InlineData("cut.tar", 1100)]
    [InlineData("cut.tar.gz", 60)]
    public void Open_CutShort_SaysSo(string name, int length)
    {
        var whole = Make(File("a/1.jpg", new string('x', 3000)), File("b/2.jpg", "y"));
        var packed = _folder.At("whole-" + name);
        Compress(whole, packed);
        var file = _folder.Write(name, System.IO.File.ReadAllBytes(packed)[..length]);
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = file }));
        Assert.StartsWith($"{file} is not a whole tar file", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Open_NoTarAtAll_SaysSo()
    {
        var file = _folder.Write("x.tar", new string('x', 2000));
        var error = Assert.Throws<BadInputException>(() => DatasetReader.Open(new DatasetOptions { Path = file }));
        Assert.StartsWith($"{file} is not a whole tar file", error.Message);
    }

    private static PaxTarEntry File(string name, string content) =>
        new(TarEntryType.RegularFile, name)
        {
            DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content)),
            ModificationTime = Time,
        };

    private string Make(params TarEntry[] entries)
    {
        var file = _folder.At("made.tar");
        using var writer = new TarWriter(System.IO.File.Create(file));
        foreach (var entry in entries)
            writer.WriteEntry(entry);
        return file;
    }

    private static void Compress(string plain, string file)
    {
        using var source = System.IO.File.OpenRead(plain);
        using var target = System.IO.File.Create(file);
        if (file.EndsWith(".tar", StringComparison.Ordinal))
        {
            source.CopyTo(target);
            return;
        }

        using var gzip = new GZipStream(target, CompressionLevel.Fastest);
        source.CopyTo(gzip);
    }
}
