using System.Text;
using TransferPipeline.Reports;

namespace TransferPipeline.Cli.Output;

/// <summary>
/// Text for a terminal: names of files and classes may hold line ends and escape sequences, which are written as <c>\n</c> and
/// <c>\x1b</c>, and characters that turn the text around them, which are written as <c>\u202e</c>.
/// </summary>
internal static class PlainText
{
    public static string Of(string text)
    {
        if (!text.Any(c => char.IsControl(c) || Html.TurnsText(c)))
            return text;
        var plain = new StringBuilder();
        foreach (var c in text)
            plain.Append(
                c switch
                {
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    _ when char.IsControl(c) => $"\\x{(int)c:x2}",
                    _ when Html.TurnsText(c) => $"\\u{(int)c:x4}",
                    _ => c.ToString(),
                }
            );
        return plain.ToString();
    }
}
