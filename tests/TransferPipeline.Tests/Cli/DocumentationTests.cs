using TransferPipeline.Cli;

namespace TransferPipeline.Tests.Cli;

/// <summary>What the README and the pages in docs/ show as input is understood by the command.</summary>
public sealed class DocumentationTests
{
    public static TheoryData<string> Pages =>
        [
            "README.md",
            .. Directory.GetFiles(Path.Combine(SharedData.Repository, "docs"), "*.md").Select(f => "docs/" + Path.GetFileName(f)),
        ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_EveryCommand_Parses(string page)
    {
        var text = File.ReadAllText(Path.Combine(SharedData.Repository, page)).Replace(" \\\n", "", StringComparison.Ordinal);
        foreach (var line in text.Split('\n').Where(IsCommand))
        {
            var arguments = Arguments(line);
            Assert.True(CommandLine.Parses(arguments, out var error), $"{page}: {line.Trim()}: {error}");
        }
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_EveryLink_LeadsToAFile(string page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(SharedData.Repository, page))!;
        var links = System
            .Text.RegularExpressions.Regex.Matches(File.ReadAllText(Path.Combine(SharedData.Repository, page)), @"\]\(([^)#]+)(#[^)]*)?\)")
            .Select(m => m.Groups[1].Value)
            .Where(l => !l.Contains("://", StringComparison.Ordinal));
        Assert.All(
            links,
            link => Assert.True(File.Exists(Path.Combine(folder, link)) || Directory.Exists(Path.Combine(folder, link)), $"{page}: {link}")
        );
    }

    /// <summary>An indented line that calls the command with more than placeholders in capitals with a slash or dots.</summary>
    private static bool IsCommand(string line) =>
        (line.StartsWith("    bin/transfer ", StringComparison.Ordinal) || line.StartsWith("    transfer ", StringComparison.Ordinal))
        && !line.Contains("...", StringComparison.Ordinal);

    internal static string[] Arguments(string line)
    {
        // What follows two spaces and no option is a comment; what follows '>' is the shell's.
        var text = System.Text.RegularExpressions.Regex.Replace(line.Trim(), " {2,}(?!--)[a-z#].*| > .*", "");
        return [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(a => a.Trim('"', '\''))];
    }
}
