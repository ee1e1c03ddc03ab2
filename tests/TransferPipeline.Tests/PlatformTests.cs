using System.IO.Enumeration;
using System.Text.RegularExpressions;

namespace TransferPipeline.Tests;

/// <summary>What depends on the operating system stays in the places that docs/platforms.md names.</summary>
public sealed partial class PlatformTests
{
    private static readonly string[] Signs =
    [
        "DllImport(",
        "LibraryImport(",
        "NativeLibrary.",
        "\"/proc/",
        "\"/dev/",
        "PosixSignal",
        "UnixFileMode",
        "OperatingSystem.",
        "SetUnixFileMode",
    ];

    /// <summary>Adapters call their own native library; the others are named in the table of docs/platforms.md.</summary>
    private static readonly string[] Places =
    [
        "TransferPipeline.Cli/CommandLine.cs",
        "TransferPipeline.Cli/Completion/TypedLine.cs",
        "TransferPipeline.LibjpegTurbo/TurboJpeg.cs",
        "TransferPipeline.LibjpegTurbo/TurboLibrary.cs",
        "TransferPipeline.MicrosoftML/MicrosoftMLHeads.cs",
        "TransferPipeline.NetVips/VipsLineCache.cs",
        "TransferPipeline.NetVips/VipsRows.cs",
        "TransferPipeline.NetVips/VipsRuntime.cs",
        "TransferPipeline.TorchSharp/HiddenCaches.cs",
        "TransferPipeline.TorchSharp/TorchRuntime.cs",
        "TransferPipeline/Features/FolderLock.cs",
        "TransferPipeline/Pipelines/PipelineChecks.cs",
        "TransferPipeline/TemporaryPath.cs",
        "TransferPipeline/Tuning/TuningMemory.cs",
    ];

    private static readonly string[] Folders = ["TransferPipeline/Platform/", "TransferPipeline.Cli/Platform/"];

    private const string Cuda = "TransferPipeline/Inference/Gpu/Cuda/";

    [Fact]
    public void Sources_CallTheSystemInTheNamedPlacesOnly()
    {
        var source = Path.Combine(SharedData.Repository, "src");
        var found =
            from file in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            let name = Path.GetRelativePath(source, file).Replace('\\', '/')
            where !Folders.Append(Cuda).Any(f => name.StartsWith(f, StringComparison.Ordinal))
            where File.ReadLines(file).Any(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && Signs.Any(line.Contains))
            select name;
        Assert.Equal(Places, found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Page_NamesEachPlace()
    {
        var page = File.ReadAllText(Path.Combine(SharedData.Repository, "docs", "platforms.md"));
        var source = Path.Combine(SharedData.Repository, "src");
        var files = Folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(source, folder), "*.cs"));
        Assert.All(
            Places.Concat(files).Select(file => Path.GetFileNameWithoutExtension(file)),
            name => Assert.Contains($"`{name}`", page, StringComparison.Ordinal)
        );
    }

    /// <summary>A pattern without a class would leave out tests without a word.</summary>
    [Fact]
    public void ProcessorScript_NamesClassesThatAreThere()
    {
        var script = File.ReadAllText(Path.Combine(SharedData.Repository, "build", "test-processors"));
        var classes = typeof(PlatformTests)
            .Assembly.GetTypes()
            .Select(t => t.FullName!)
            .Where(n => n.EndsWith("Tests", StringComparison.Ordinal));
        string[] patterns = [.. Pattern().Matches(script).Select(m => m.Groups[1].Value)];
        Assert.NotEmpty(patterns);
        Assert.All(patterns, p => Assert.Contains(classes, name => FileSystemName.MatchesSimpleExpression(p, name)));
    }

    [GeneratedRegex(@"-class ([\w.*]+)")]
    private static partial Regex Pattern();
}
