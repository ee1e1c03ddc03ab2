using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace TransferPipeline.Reports;

/// <summary>
/// HTML or SVG under construction. The literal parts of an interpolated string are markup, every text in its holes is escaped, so a label
/// or path cannot become markup; only another <see cref="Html"/> goes in as it is.
/// </summary>
internal sealed class Html
{
    private readonly StringBuilder _text = new();

    public bool IsEmpty => _text.Length == 0;

    public static Html Of(Action<Html> build)
    {
        var html = new Html();
        build(html);
        return html;
    }

    // Nothing is left to do: the handler has written into this text while it was made.
    public Html Add([InterpolatedStringHandlerArgument("")] ref Markup markup) => this;

    public Html Add(Html other)
    {
        _text.Append(other._text);
        return this;
    }

    /// <summary>
    /// A name of the user's (class, path, file): isolated, so that right-to-left text does not turn its neighbours around.
    /// </summary>
    public Html Name(string name) => Add($"<bdi>{name}</bdi>");

    public override string ToString() => _text.ToString();

    /// <summary>
    /// Safe in text and in quoted attributes; what HTML does not allow (controls, lone surrogates) or what misleads the eye becomes U+FFFD.
    /// </summary>
    private void Escape(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            // Both halves of a character go in together; one of them alone cannot be written as UTF-8.
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                _text.Append(c).Append(text[++i]);
                continue;
            }

            _ = c switch
            {
                '&' => _text.Append("&amp;"),
                '<' => _text.Append("&lt;"),
                '>' => _text.Append("&gt;"),
                '"' => _text.Append("&quot;"),
                '\'' => _text.Append("&#39;"),
                '\t' or '\n' => _text.Append(c),
                _ when char.IsControl(c) || char.IsSurrogate(c) || c >= '\uFFFE' || TurnsText(c) => _text.Append('\uFFFD'),
                _ => _text.Append(c),
            };
        }
    }

    /// <summary>
    /// Embeddings, overrides and isolates: with them "cod\u202Egpj.exe" reads as a harmless name. Letters need none to run to the left.
    /// </summary>
    internal static bool TurnsText(char c) => c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');

    [InterpolatedStringHandler]
    internal readonly ref struct Markup(int literalLength, int formattedCount, Html html)
    {
        private readonly StringBuilder _text = html._text.EnsureRoom(literalLength + (8 * formattedCount));

        public void AppendLiteral(string markup) => _text.Append(markup);

        public void AppendFormatted(string? text) => html.Escape(text);

        public void AppendFormatted(Html part) => html.Add(part);

        public void AppendFormatted(int number) => _text.Append(CultureInfo.InvariantCulture, $"{number}");

        public void AppendFormatted(long number) => _text.Append(CultureInfo.InvariantCulture, $"{number}");

        /// <summary>A coordinate, to a tenth of a pixel.</summary>
        public void AppendFormatted(double coordinate) => _text.Append(CultureInfo.InvariantCulture, $"{coordinate:0.#}");
    }
}

file static class StringBuilderRoom
{
    public static StringBuilder EnsureRoom(this StringBuilder text, int more)
    {
        text.EnsureCapacity(text.Length + more);
        return text;
    }
}
