using System.Security.Cryptography;
using System.Text;
using TransferPipeline.Features;

namespace TransferPipeline.Reports;

/// <summary>
/// One HTML file that needs nothing else: its style and script stand in it, and its Content-Security-Policy names them by their SHA-256
/// and forbids everything else but images that are in the page.
/// </summary>
internal static class Page
{
    /// <param name="json">Goes into a data block with the id <c>figures</c>; null for none.</param>
    public static string Render(string title, Html body, string? json)
    {
        var (style, script) = (Asset("page.css"), Asset("page.js"));
        var page = new StringBuilder();
        // The charset must be in the first 1,024 bytes, and a policy applies only to what comes after it.
        // Without a link to an icon a browser would ask the server of the page for one.
        page.Append("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; ")
            .Append($"style-src '{Hash(style)}'; script-src '{Hash(script)}'; base-uri 'none'; form-action 'none'\">\n")
            .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .Append("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n")
            .Append(new Html().Add($"<title>{title}</title>\n"))
            .Append("<link rel=\"icon\" href=\"data:,\">\n<style>")
            .Append(style)
            .Append("</style>\n</head>\n<body>\n")
            .Append(body)
            .Append('\n');
        if (json is not null)
            page.Append("<script type=\"application/json\" id=\"figures\">").Append(Inert(json)).Append("</script>\n");
        return page.Append("<script>").Append(script).Append("</script>\n</body>\n</html>\n").ToString();
    }

    /// <summary>Writes a whole page or none.</summary>
    public static void Save(string file, string page)
    {
        var path = Path.GetFullPath(file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableFile.WriteText(path, page);
    }

    /// <summary>In a script element only "&lt;" can end the element or open a comment; in JSON it stands in strings only.</summary>
    private static string Inert(string json) =>
        json.Replace("<", "\\u003c", StringComparison.Ordinal)
            .Replace("\u2028", "\\u2028", StringComparison.Ordinal)
            .Replace("\u2029", "\\u2029", StringComparison.Ordinal);

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Asset(string name)
    {
        using var stream = typeof(Page).Assembly.GetManifestResourceStream("TransferPipeline.Reports." + name)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        // Browsers turn CRLF into LF before they hash an element, so hashes of a Windows checkout would not match.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
