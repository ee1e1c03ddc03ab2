using System.Text.RegularExpressions;

namespace TransferPipeline.Tests;

/// <summary>The limit of .editorconfig, which the formatter keeps for code, holds for comments and texts too.</summary>
public sealed partial class LineLengthTests
{
    [Fact]
    public void SourceFiles_KeepTheLimit()
    {
        var limit = int.Parse(Limit().Match(File.ReadAllText(Path.Combine(SharedData.Repository, ".editorconfig"))).Groups[1].Value);
        var tooLong =
            from folder in (string[])["src", "tests"]
            from file in Directory.EnumerateFiles(Path.Combine(SharedData.Repository, folder), "*.cs", SearchOption.AllDirectories)
            from line in File.ReadLines(file).Select((text, i) => (text, Number: i + 1))
            where line.text.Length > limit
            select $"{Path.GetRelativePath(SharedData.Repository, file)}:{line.Number} has {line.text.Length} characters";
        Assert.Empty(tooLong);
    }

    [GeneratedRegex(@"max_line_length = (\d+)")]
    private static partial Regex Limit();
}
