using System.Text.RegularExpressions;

namespace TransferPipeline.Tests;

/// <summary>docs/architecture.md stays true: what it names is there, and no folder of the library is left out.</summary>
public sealed partial class ArchitecturePageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(SharedData.Repository, "docs", "architecture.md"));

    [Fact]
    public void Page_NamesOnlyWhatExists()
    {
        string[] roots = ["", "src/TransferPipeline"];
        var missing = Paths()
            .Matches(Page)
            .Select(m => m.Groups[1].Value)
            .Distinct()
            .Where(path => !roots.Any(root => Path.Exists(Path.Combine(SharedData.Repository, root, path))));
        Assert.Empty(missing);
    }

    [Fact]
    public void Page_NamesEveryFolderOfTheLibraryAndEveryProject()
    {
        var library = Path.Combine(SharedData.Repository, "src", "TransferPipeline");
        var folders = Directory.GetDirectories(library).Select(d => $"src/TransferPipeline/{Path.GetFileName(d)}");
        var projects = Directory.GetDirectories(Path.Combine(SharedData.Repository, "src")).Select(d => $"src/{Path.GetFileName(d)}");
        Assert.DoesNotContain(
            folders.Concat(projects),
            path => !Page.Contains($"`{path}`", StringComparison.Ordinal) && path != "src/TransferPipeline"
        );
    }

    /// <summary>Between backticks and with a slash: a path, from the repository or from the library.</summary>
    [GeneratedRegex(@"`([\w.]+(?:/[\w.]+)+)`")]
    private static partial Regex Paths();
}
