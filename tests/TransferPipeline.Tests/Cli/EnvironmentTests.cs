using System.Formats.Tar;
using System.IO.Compression;

namespace TransferPipeline.Tests.Cli;

/// <summary>Environments of services and containers: no home, no folder for temporary files.</summary>
public sealed class EnvironmentTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A user such as nobody has the home /nonexistent.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("relative")]
    public void Extract_WithAHomeThatDoesNotExist_KeepsItsCacheOutOfTheCurrentFolder(string cache)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("HOME is not read there");
        var current = _folder.At("current");
        Directory.CreateDirectory(current);
        var result = TransferProcess.RunIn(
            current,
            new Dictionary<string, string> { ["HOME"] = _folder.At("absent"), ["XDG_CACHE_HOME"] = cache },
            "extract",
            "--data",
            // Photos that were copied just now would get no stamps.
            Path.Combine(SamplePhotos.Folder, "validation"),
            "--model",
            "efficientnet-lite0",
            "--out",
            "set"
        );
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(["set"], Directory.EnumerateFileSystemEntries(current).Select(Path.GetFileName));
        Assert.NotEmpty(Directory.EnumerateFiles(_folder.At("absent/.cache/transfer/stamps")));
    }

    [Theory]
    [InlineData("xterm", true)]
    [InlineData("dumb", false)]
    public void Extract_OnATerminal_ErasesLinesWhereTheTerminalCan(string terminal, bool erases)
    {
        if (!File.Exists("/usr/bin/script"))
            Assert.Skip("needs script of util-linux, which makes a terminal");
        SamplePhotos.Copy(_folder.At("photos"), 1, "hat", "pants");
        var command = $"'{TransferProcess.Executable}' extract --data photos --model efficientnet-lite0 --out set";
        var environment = new Dictionary<string, string> { ["TERM"] = terminal };
        var result = TransferProcess.RunProgram("script", _folder.Root, environment, "-qec", command, "/dev/null");
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        Assert.Equal(erases, result.Output.Contains("[K", StringComparison.Ordinal));
        Assert.Contains("4/4", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Extract_OfAPackedTarWithoutAFolderForTemporaryFiles_NamesTheVariable()
    {
        SamplePhotos.Copy(_folder.At("photos"), 1, "hat", "pants");
        var tar = _folder.At("photos.tar.gz");
        using (var packed = new GZipStream(File.Create(tar), CompressionLevel.Fastest))
            TarFile.CreateFromDirectory(_folder.At("photos"), packed, includeBaseDirectory: true);
        var (variable, absent) = (OperatingSystem.IsWindows() ? "TEMP" : "TMPDIR", _folder.At("absent"));
        var result = TransferProcess.RunIn(
            _folder.Root,
            new Dictionary<string, string> { [variable] = absent, ["TMP"] = absent },
            "extract",
            "--data",
            tar,
            "--model",
            "efficientnet-lite0",
            "--out",
            "set"
        );
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"{absent}", result.LastErrorLine, StringComparison.Ordinal);
        Assert.Contains($"set {variable} to one that does", result.LastErrorLine, StringComparison.Ordinal);
    }
}
