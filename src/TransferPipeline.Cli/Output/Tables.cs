using Spectre.Console;

namespace TransferPipeline.Cli.Output;

/// <summary>
/// Plain tables on stdout. Elsewhere than on a terminal a table is as wide as it needs to be; on a terminal columns of long texts
/// are wrapped to fit; a table that would be too wide even so runs over rather than break its names and numbers.
/// </summary>
internal static class Tables
{
    private const int UnlimitedWidth = 400;

    /// <summary>A column whose cells are all at most this long, such as names and numbers, is never wrapped.</summary>
    private const int LongestUnwrapped = 24;

    /// <summary>What wrapping leaves of a column at least.</summary>
    private const int LeastWrapped = 20;

    private const int Gap = 3;

    /// <param name="columns">Headings; one that starts with '>' is right-aligned.</param>
    public static void Write(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows, string? title = null)
    {
        var redirected = System.Console.IsOutputRedirected;
        var console = Console(System.Console.Out, redirected);
        Write(console, redirected ? UnlimitedWidth : console.Profile.Width, columns, [.. rows], title);
    }

    /// <param name="width">Characters of a line.</param>
    public static void Write(
        IAnsiConsole console,
        int width,
        IReadOnlyList<string> columns,
        IReadOnlyList<IReadOnlyList<string>> rows,
        string? title = null
    )
    {
        rows = [.. rows.Select(row => row.Select(PlainText.Of).ToArray())];
        var headings = columns.Select(c => c.TrimStart('>')).ToArray();
        var longest = headings.Select((h, i) => rows.Select(r => r[i].Length).Append(h.Length).Max()).ToArray();
        var widths = Fit(longest, width - 2);
        var tableWidth = widths.Sum() + (Gap * widths.Length) + 2;
        var titleFits = title is not null && title.Length < tableWidth;
        var table = new Table { Border = TableBorder.Simple, Title = titleFits ? new TableTitle(Markup.Escape(title!)) : null };
        for (var i = 0; i < columns.Count; i++)
        {
            var column = new TableColumn(Markup.Escape(headings[i]))
            {
                NoWrap = widths[i] == longest[i],
                Width = widths[i],
                Padding = new Padding(0, 0, 2, 0),
            };
            table.AddColumn(columns[i].StartsWith('>') ? column.RightAligned() : column);
        }

        foreach (var row in rows)
            table.AddRow([.. row.Select(Markup.Escape)]);
        console.Profile.Width = Math.Max(width, tableWidth);
        if (title is not null && !titleFits)
            console.WriteLine(title);
        console.Write(table);
    }

    public static IAnsiConsole Console(TextWriter output, bool redirected) =>
        AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(output),
                Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
                ColorSystem = redirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            }
        );

    /// <summary>Takes what is too much from the widest column that may be wrapped, a character at a time; all or nothing.</summary>
    private static int[] Fit(int[] longest, int width)
    {
        var widths = (int[])longest.Clone();
        for (var excess = widths.Sum() + (Gap * widths.Length) - width; excess > 0; excess--)
        {
            var widest = Array.IndexOf(widths, widths.Max());
            if (longest[widest] <= LongestUnwrapped || widths[widest] <= LeastWrapped)
                return longest;
            widths[widest]--;
        }

        return widths;
    }
}
