using System.Text;

namespace TransferPipeline.Cli.Output;

/// <summary>
/// Plain tables on stdout. Elsewhere than on a terminal a table is as wide as it needs to be; on a terminal columns of long texts
/// are wrapped to fit; a table that would be too wide even so runs over rather than break its names and numbers.
/// </summary>
internal static class Tables
{
    /// <summary>A column whose cells are all at most this long, such as names and numbers, is never wrapped.</summary>
    private const int LongestUnwrapped = 24;

    /// <summary>What wrapping leaves of a column at least.</summary>
    private const int LeastWrapped = 20;

    private const int Gap = 3;

    /// <summary>Of a terminal that does not report its own.</summary>
    private const int UsualWidth = 80;

    /// <param name="columns">Headings; one that starts with '>' is right-aligned.</param>
    public static void Write(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows, string? title = null) =>
        // A file or pipe has no width, and programs that read it want one line per row.
        Write(Console.Out, Console.IsOutputRedirected ? int.MaxValue : TerminalWidth(), columns, [.. rows], title);

    /// <param name="width">Columns of a line.</param>
    public static void Write(
        TextWriter output,
        int width,
        IReadOnlyList<string> columns,
        IReadOnlyList<IReadOnlyList<string>> rows,
        string? title = null
    )
    {
        var cells = new List<string[]>(rows.Count + 1) { new string[columns.Count] };
        var right = new bool[columns.Count];
        for (var i = 0; i < columns.Count; i++)
            (right[i], cells[0][i]) = (columns[i].StartsWith('>'), columns[i].TrimStart('>'));
        foreach (var row in rows)
            cells.Add([.. row.Select(PlainText.Of)]);

        var longest = new int[columns.Count];
        foreach (var row in cells)
        {
            for (var i = 0; i < longest.Length; i++)
                longest[i] = Math.Max(longest[i], CellWidth.Of(row[i]));
        }

        var widths = Fit(longest, width - 2);
        var tableWidth = widths.Sum() + (Gap * widths.Length) + 1;
        var text = new StringBuilder().AppendLine();
        if (title is not null)
            text.Append(' ', Math.Max(0, (tableWidth - CellWidth.Of(title)) / 2)).AppendLine(title).AppendLine();
        for (var i = 0; i < cells.Count; i++)
        {
            AppendRow(text, cells[i], widths, right);
            if (i == 0)
                text.Append('─', tableWidth).AppendLine();
        }

        output.Write(text.AppendLine().ToString());
    }

    private static void AppendRow(StringBuilder text, string[] row, int[] widths, bool[] right)
    {
        var wrapped = new List<string>[row.Length];
        for (var i = 0; i < row.Length; i++)
            wrapped[i] = CellWidth.Wrap(row[i], widths[i]);
        var lines = wrapped.Max(w => w.Count);
        for (var line = 0; line < lines; line++)
        {
            var blanks = 1;
            for (var i = 0; i < row.Length; i++)
            {
                var cell = line < wrapped[i].Count ? wrapped[i][line] : "";
                var padding = widths[i] - CellWidth.Of(cell);
                if (cell.Length > 0)
                    text.Append(' ', blanks + (right[i] ? padding : 0)).Append(cell);
                // Blanks are written before the next cell only, so that no line ends with them.
                blanks = cell.Length == 0 ? blanks + widths[i] + Gap : (right[i] ? 0 : padding) + Gap;
            }

            text.AppendLine();
        }
    }

    private static int TerminalWidth()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : UsualWidth;
        }
        catch (IOException)
        {
            return UsualWidth;
        }
    }

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
