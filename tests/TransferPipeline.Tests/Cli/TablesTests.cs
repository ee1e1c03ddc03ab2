using TransferPipeline.Cli.Output;

namespace TransferPipeline.Tests.Cli;

public sealed class TablesTests
{
    private static readonly string[] Columns = ["head", ">accuracy", "what it is"];

    private static readonly string[][] Rows =
    [
        ["mlnet-linear-svm", "0.865", "support vector machine, squared hinge, one class against the rest, as LIBLINEAR has it"],
        ["knn", "0.812", "k nearest neighbours"],
    ];

    [Theory]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(100)]
    public void Write_OnATerminal_WrapsLongTextsAndKeepsNamesAndNumbersWhole(int width)
    {
        var lines = Written(width, Columns, Rows);
        Assert.All(lines, line => Assert.True(line.TrimEnd().Length <= width, line));
        Assert.Contains(
            lines,
            line => line.Contains("mlnet-linear-svm", StringComparison.Ordinal) && line.Contains("0.865", StringComparison.Ordinal)
        );
        Assert.Equal(
            Rows[0][2],
            string.Join(
                ' ',
                lines
                    .Skip(2)
                    .TakeWhile(l => !l.Contains("knn", StringComparison.Ordinal))
                    .Select(l =>
                        l.Replace("mlnet-linear-svm", "", StringComparison.Ordinal).Replace("0.865", "", StringComparison.Ordinal).Trim()
                    )
            )
        );
    }

    [Fact]
    public void Write_OnATerminalThatIsTooNarrow_RunsOverRatherThanBreakANumber()
    {
        var lines = Written(20, Columns, Rows);
        Assert.Contains(lines, line => Rows[0].All(cell => line.Contains(cell, StringComparison.Ordinal)));
    }

    [Fact]
    public void Write_TextThatLooksLikeMarkup_IsShownAsItIs() =>
        Assert.Contains(
            Written(
                80,
                ["[red]"],
                [
                    ["[bold]x[/] ü"],
                ]
            ),
            line => line.Contains("[bold]x[/] ü", StringComparison.Ordinal)
        );

    [Theory]
    [InlineData(10)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(19)]
    [InlineData(20)]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(80)]
    public void Write_ATitleWiderThanTheTable_StaysOnOneLine(int length)
    {
        var title = string.Join(' ', Enumerable.Repeat("abcd", 20))[..length].TrimEnd();
        Assert.Equal(
            title,
            Written(
                120,
                ["head", ">accuracy"],
                [
                    ["knn", "0.812"],
                ],
                title
            )[0]
                .Trim()
        );
    }

    [Fact]
    public void Write_NamesOfWideAndCombiningCharacters_AreAlignedByTheColumnsTheyTake()
    {
        // Two characters of four columns; five of four columns, with a combining accent.
        var lines = Written(
            80,
            ["label", ">photos"],
            [
                ["\u978B\u5B50", "1"],
                ["cafe\u0301", "2"],
                ["shoe", "3"],
            ]
        );
        Assert.Equal([" \u978B\u5B50         1", " cafe\u0301         2", " shoe         3"], lines[2..]);
    }

    [Fact]
    public void Write_ALine_DoesNotEndWithBlanks() => Assert.DoesNotContain(Written(60, Columns, Rows), line => line.EndsWith(' '));

    private static string[] Written(int width, string[] columns, string[][] rows, string? title = null)
    {
        var output = new StringWriter();
        Tables.Write(output, width, columns, rows, title);
        return [.. output.ToString().Split(Environment.NewLine).Where(l => l.Trim().Length > 0)];
    }
}
