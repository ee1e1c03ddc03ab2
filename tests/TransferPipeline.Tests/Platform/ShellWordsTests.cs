using TransferPipeline.Cli.Platform;

namespace TransferPipeline.Tests.Platform;

/// <summary>Commands that are printed, to be pasted.</summary>
public sealed class ShellWordsTests
{
    private static readonly string Folder = Path.GetFullPath("some folder");

    [Theory]
    [InlineData("out/set-1", false, "out/set-1")]
    [InlineData("softmax,knn:k=[1,3]", false, "'softmax,knn:k=[1,3]'")]
    [InlineData("it's", false, "'it'\\''s'")]
    [InlineData(@"a\b", false, @"'a\b'")]
    [InlineData("", false, "''")]
    [InlineData(@"C:\photos\out", true, @"C:\photos\out")]
    [InlineData(@"my photos\it's", true, @"""my photos\it's""")]
    [InlineData("softmax,knn", true, "\"softmax,knn\"")]
    [InlineData("", true, "\"\"")]
    public void Quoted_IsWhatTheShellTakes(string argument, bool windows, string expected) =>
        Assert.Equal(expected, ShellWords.Quoted(argument, windows));

    [Theory]
    [InlineData("bin/transfer", "bin/transfer")]
    [InlineData("transfer", "./transfer")]
    [InlineData("../transfer", "transfer")]
    [InlineData("bin/dotnet", "transfer")]
    [InlineData(null, "transfer")]
    public void Program_IsFoundFromTheFolder(string? program, string expected) =>
        Assert.Equal(
            expected.Replace('/', Path.DirectorySeparatorChar),
            ShellWords.Program(Folder, program is null ? null : Path.Combine(Folder, program))
        );

    [Fact]
    public void Program_InAFolderWithASpace_IsQuoted() =>
        Assert.Equal(
            ShellWords.Quoted(Path.Combine("my tools", "transfer")),
            ShellWords.Program(Folder, Path.Combine(Folder, "my tools", "transfer"))
        );
}
