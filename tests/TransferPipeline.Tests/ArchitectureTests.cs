using System.Text.RegularExpressions;

namespace TransferPipeline.Tests;

/// <summary>The library's folders are the data's way; each may use only those before it.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string[] Order =
        ["Datasets", "Images", "Backbones", "Features", "Heads", "Evaluation", "Reports", "Export", "Pipelines"];

    private static readonly string Library = Path.Combine(SharedData.Repository, "src", "TransferPipeline");

    public static TheoryData<string> Folders => [.. Order];

    [Theory]
    [MemberData(nameof(Folders))]
    public void Folder_UsesOnlyFoldersToItsLeft(string folder)
    {
        var later = Order[(Array.IndexOf(Order, folder) + 1)..];
        var offences = Sources(Path.Combine(Library, folder))
            .SelectMany(file => UsedFolder().Matches(File.ReadAllText(file)).Select(m => (file, Used: m.Groups[1].Value)))
            .Where(use => later.Contains(use.Used))
            .Select(use => $"{Path.GetRelativePath(Library, use.file)} uses {use.Used}");
        Assert.Empty(offences);
    }

    [Fact]
    public void Library_HasNoFolderOutsideTheOrder() =>
        Assert.Equal(
            Order.Order(StringComparer.Ordinal),
            Directory.GetDirectories(Library).Select(d => Path.GetFileName(d)!).Where(d => d is not ("obj" or "bin")).Order(StringComparer.Ordinal));

    [Fact]
    public void Library_UsesNoOutsideImageParquetOrTrainingLibrary()
    {
        string[] outside = ["SixLabors", "Parquet.", "Microsoft.ML.Data", "Microsoft.ML.Trainers", "TorchSharp", "libvips", "turbojpeg", "libduckdb"];
        var offences =
            from file in Sources(Library)
            from line in File.ReadLines(file)
            where line.StartsWith("using ", StringComparison.Ordinal) || line.Contains("LibraryImport(", StringComparison.Ordinal)
            from name in outside
            where line.Contains(name, StringComparison.Ordinal)
            select $"{Path.GetRelativePath(Library, file)}: {line.Trim()}";
        Assert.Empty(offences);
    }

    private static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(Library, f).Split(Path.DirectorySeparatorChar)[0].Equals("obj", StringComparison.Ordinal));

    /// <summary>A using directive, or a name qualified by a folder: <c>Heads.EpochRecord</c>.</summary>
    [GeneratedRegex(@"(?<![\w.])(?:using (?:static )?TransferPipeline\.(?=\w+[;.])|TransferPipeline\.(?=\w+\.[A-Z])|(?=\w+\.[A-Z]))(Datasets|Images|Backbones|Features|Heads|Evaluation|Reports|Export|Pipelines)\b")]
    private static partial Regex UsedFolder();
}
