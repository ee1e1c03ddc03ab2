using System.Globalization;
using System.Text;

namespace TransferPipeline.Datasets;

/// <summary>
/// Names that look the same: macOS writes an accent as a character of its own (NFD), other systems write one character (NFC). The program
/// runs without ICU, where <see cref="string.Normalize()"/> does nothing, so the canonical pairs of the basic plane are kept beside it.
/// </summary>
internal static class UnicodeForms
{
    private const int FirstSyllable = 0xAC00,
        LastSyllable = 0xD7A3,
        Vowels = 21,
        Finals = 28;

    /// <summary>Cyrillic and Greek small letters, each before the Latin one.</summary>
    private const string LookAlikes =
        "\u0430a\u0435e\u043Eo\u0440p\u0441c\u0443y\u0445x\u0456i\u0458j\u0455s\u04BBh\u0501d\u051Bq\u051Dw\u03BFo\u03B1a\u03C1p\u03BDv";

    private static readonly Lazy<Dictionary<char, (char First, char Second)>> Pairs = new(ReadPairs);

    /// <summary>The name with every composed character taken apart; names in ASCII come back as they are.</summary>
    public static string Decompose(string name)
    {
        if (Ascii.IsValid(name))
            return name;
        var text = new StringBuilder(name.Length + 8);
        foreach (var c in name)
            Append(text, c);
        return text.ToString();
    }

    /// <summary>
    /// What is left of a name when case, Unicode form, kinds of space, invisible characters, punctuation around it and the alphabet of
    /// letters that look alike do not count.
    /// </summary>
    public static string Fold(string name)
    {
        var plain = string.Concat(Decompose(name).ToLowerInvariant().Where(c => !IsInvisible(c)).Select(Plain));
        // Spreadsheets mark texts with ' in front. In pictures of characters a class may be punctuation alone.
        var text = plain.Trim('.', ',', ';', ':', '\'', '"', ' ');
        return string.Join(
            ' ',
            (text.Length > 0 ? text : plain)
                .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
                .SelectMany(word => word.Split(['_', '-'], StringSplitOptions.RemoveEmptyEntries))
        );
    }

    /// <summary>Format characters, and others of Unicode's Default_Ignorable_Code_Point: joiners, fillers, variation selectors.</summary>
    private static bool IsInvisible(char c) =>
        char.GetUnicodeCategory(c) == UnicodeCategory.Format
        || c
            is '\u034F'
                or '\u115F'
                or '\u1160'
                or '\u17B4'
                or '\u17B5'
                or (>= '\u180B' and <= '\u180F')
                or '\u3164'
                or (>= '\uFE00' and <= '\uFE0F')
                or '\uFFA0';

    /// <summary>
    /// The Latin letters that a character looks like: of full width, a ligature, or of the Cyrillic or Greek alphabet; and the plain form
    /// of dashes and quotation marks, which office programs replace.
    /// </summary>
    private static string Plain(char c) =>
        c switch
        {
            '\u2212' => "-",
            '\u2018' or '\u2019' or '\u02BC' or '\u00B4' or '\u0060' => "'",
            '\u201C' or '\u201D' => "\"",
            '\u2026' => "...",
            _ when char.GetUnicodeCategory(c) == UnicodeCategory.DashPunctuation => "-",
            >= '\uFF01' and <= '\uFF5E' => char.ToLowerInvariant((char)(c - 0xFEE0)).ToString(),
            '\uFB00' => "ff",
            '\uFB01' => "fi",
            '\uFB02' => "fl",
            '\uFB03' => "ffi",
            '\uFB04' => "ffl",
            '\uFB05' or '\uFB06' => "st",
            _ => c > '\u007F' && LookAlikes.IndexOf(c, StringComparison.Ordinal) is >= 0 and var i
                ? LookAlikes[i + 1].ToString()
                : c.ToString(),
        };

    private static void Append(StringBuilder text, char c)
    {
        // Unicode, section 3.12: Hangul syllables are composed by arithmetic.
        if (c is >= (char)FirstSyllable and <= (char)LastSyllable)
        {
            var index = c - FirstSyllable;
            text.Append((char)(0x1100 + index / (Vowels * Finals))).Append((char)(0x1161 + index % (Vowels * Finals) / Finals));
            // 0x11A7 is one below the first final consonant: index 0 means that there is none.
            if (index % Finals > 0)
                text.Append((char)(0x11A7 + index % Finals));
        }
        else if (Pairs.Value.TryGetValue(c, out var pair))
        {
            // The first character may itself be composed: U+1EA4 is U+00C2 with
            // an acute, and U+00C2 is A with a circumflex.
            Append(text, pair.First);
            text.Append(pair.Second);
        }
        else
        {
            text.Append(c);
        }
    }

    /// <summary>Lines of three code points in hex: composed, first, second (UnicodeData.txt, field Decomposition_Mapping).</summary>
    private static Dictionary<char, (char First, char Second)> ReadPairs()
    {
        using var reader = new StreamReader(
            typeof(UnicodeForms).Assembly.GetManifestResourceStream("TransferPipeline.Datasets.decompositions.txt")!,
            Encoding.UTF8
        );
        var pairs = new Dictionary<char, (char, char)>();
        while (reader.ReadLine() is { } line)
            pairs.Add(Hex(line.AsSpan(0, 4)), (Hex(line.AsSpan(5, 4)), Hex(line.AsSpan(10, 4))));
        return pairs;

        static char Hex(ReadOnlySpan<char> digits) => (char)ushort.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
