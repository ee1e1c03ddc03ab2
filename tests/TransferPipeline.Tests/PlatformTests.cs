namespace TransferPipeline.Tests;

/// <summary>What depends on the operating system stays in the places that docs/platforms.md names.</summary>
public sealed class PlatformTests
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
        "SetUnixFileMode",
    ];

    /// <summary>Adapters call their own native library; the others are named in the table of docs/platforms.md.</summary>
    private static readonly string[] Places =
    [
        "TransferPipeline.Cli/CommandLine.cs",
        "TransferPipeline.LibjpegTurbo/TurboJpeg.cs",
        "TransferPipeline.LibjpegTurbo/TurboLibrary.cs",
        "TransferPipeline.NetVips/VipsLineCache.cs",
        "TransferPipeline.NetVips/VipsRows.cs",
        "TransferPipeline.NetVips/VipsRuntime.cs",
        "TransferPipeline.TorchSharp/TorchRuntime.cs",
        "TransferPipeline/Tuning/TuningMemory.cs",
    ];

    [Fact]
    public void Sources_CallTheSystemInTheNamedPlacesOnly()
    {
        var source = Path.Combine(SharedData.Repository, "src");
        string[] folders = ["TransferPipeline/Platform/", "TransferPipeline.Cli/Platform/", "TransferPipeline/Inference/Gpu/Cuda/"];
        var found =
            from file in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
            let name = Path.GetRelativePath(source, file).Replace('\\', '/')
            where !folders.Any(f => name.StartsWith(f, StringComparison.Ordinal))
            where File.ReadLines(file).Any(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && Signs.Any(line.Contains))
            select name;
        Assert.Equal(Places, found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Page_NamesEachPlace()
    {
        var page = File.ReadAllText(Path.Combine(SharedData.Repository, "docs", "platforms.md"));
        Assert.All(Places, place => Assert.Contains($"`{Path.GetFileNameWithoutExtension(place)}`", page, StringComparison.Ordinal));
    }
}
