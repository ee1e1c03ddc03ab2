using System.Globalization;
using System.Text;

namespace TransferPipeline.Cli.Output;

/// <summary>Columns that text takes on a terminal: East Asian characters and emoji take two, combining marks none.</summary>
internal static class CellWidth
{
    /// <summary>Blocks of characters that take two columns: East Asian width W and F (Unicode Standard Annex 11), and emoji.</summary>
    private static readonly (int First, int Last)[] Wide =
    [
        (0x1100, 0x115F),
        (0x2E80, 0x303E),
        (0x3041, 0xA4CF),
        (0xA960, 0xA97F),
        (0xAC00, 0xD7A3),
        (0xF900, 0xFAFF),
        (0xFE30, 0xFE6F),
        (0xFF00, 0xFF60),
        (0xFFE0, 0xFFE6),
        (0x1F300, 0x1F64F),
        (0x1F680, 0x1F6FF),
        (0x1F900, 0x1F9FF),
        (0x20000, 0x3FFFD),
    ];

    public static int Of(string text)
    {
        var width = 0;
        foreach (var rune in text.EnumerateRunes())
            width += Of(rune);
        return width;
    }

    /// <summary>Breaks at blanks, and inside a word only where that alone is wider than a line.</summary>
    public static List<string> Wrap(string text, int width)
    {
        if (Of(text) <= width)
            return [text];
        var lines = new List<string>();
        var (line, used) = (new StringBuilder(), 0);
        foreach (var word in text.Split(' '))
        {
            var length = Of(word);
            if (line.Length > 0 && used + 1 + length > width)
                Break();
            if (line.Length > 0)
            {
                line.Append(' ');
                used++;
            }

            foreach (var rune in word.EnumerateRunes())
            {
                // A character that is wider than a line still gets one.
                if (used + Of(rune) > width && used > 0)
                    Break();
                line.Append(rune.ToString());
                used += Of(rune);
            }
        }

        Break();
        return lines;

        void Break()
        {
            lines.Add(line.ToString());
            line.Clear();
            used = 0;
        }
    }

    private static int Of(Rune rune)
    {
        if (rune.Value < 0x300)
            return 1;
        if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format)
            return 0;
        foreach (var (first, last) in Wide)
        {
            // The blocks are in order.
            if (rune.Value < first)
                break;
            if (rune.Value <= last)
                return 2;
        }

        return 1;
    }
}
