using Spectre.Console;

namespace TransferPipeline.Cli.Output;

/// <summary>Plain tables on stdout, as wide as they need to be when stdout is not a terminal.</summary>
internal static class Tables
{
    /// <param name="columns">Headings; one that starts with '>' is right-aligned.</param>
    public static void Write(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows, string? title = null)
    {
        var table = new Table { Border = TableBorder.Simple, Title = title is null ? null : new TableTitle(Markup.Escape(title)) };
        foreach (var column in columns)
        {
            var right = column.StartsWith('>');
            var text = new TableColumn(Markup.Escape(right ? column[1..] : column)) { NoWrap = true, Padding = new Padding(0, 0, 2, 0) };
            table.AddColumn(right ? text.RightAligned() : text);
        }

        foreach (var row in rows)
            table.AddRow([.. row.Select(Markup.Escape)]);
        Console(System.Console.Out, System.Console.IsOutputRedirected).Write(table);
    }

    public static IAnsiConsole Console(TextWriter output, bool redirected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = redirected ? AnsiSupport.No : AnsiSupport.Detect,
            ColorSystem = redirected ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
        });
        if (redirected)
            console.Profile.Width = 400;
        return console;
    }
}
