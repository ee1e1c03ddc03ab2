using System.Globalization;

namespace TransferPipeline.Reports;

/// <summary>The thumbnails of a page: each photo's bytes stand in it once, however often it is shown.</summary>
internal sealed class ThumbnailSheet(Func<string, byte[]?> thumbnail, int side = ThumbnailMaker.Side)
{
    private readonly Dictionary<string, string?> _ids = new(StringComparer.Ordinal);
    private readonly Html _images = new();
    private int _count;

    /// <summary>Identifier of the photo's thumbnail, made at the first call; null when it has none.</summary>
    public string? IdOf(string path)
    {
        if (_ids.TryGetValue(path, out var known))
            return known;
        var bytes = thumbnail(path);
        string? id = null;
        if (bytes is { Length: > 0 })
        {
            id = "t" + (_count++).ToString(CultureInfo.InvariantCulture);
            _images.Add(
                $"<image id=\"{id}\" width=\"{side}\" height=\"{side}\" "
                    + $"href=\"data:{MediaType(bytes)};base64,{Convert.ToBase64String(bytes)}\"/>\n"
            );
        }

        // Also where there is none: a photo that is gone is not searched for again.
        _ids[path] = id;
        return id;
    }

    /// <summary>The identifier if the photo was already given one.</summary>
    public string? Known(string path) => _ids.GetValueOrDefault(path);

    /// <summary>The photo, or a blank frame that states that there is none.</summary>
    public Html Picture(string path)
    {
        var html = new Html();
        return IdOf(path) is { } id
            ? html.Add($"<svg class=\"thumb\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{path}\"><use href=\"#{id}\"/></svg>")
            : html.Add($"<span class=\"thumb blank\">no picture</span>");
    }

    /// <summary>All that was shown, once; goes into the page after its last use.</summary>
    public Html Definitions() =>
        _images.IsEmpty
            ? new Html()
            : new Html().Add($"<svg class=\"defs\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\n{_images}</defs></svg>\n");

    private static string MediaType(byte[] bytes) =>
        bytes.AsSpan().StartsWith(FileSignatures.Jpeg) ? "image/jpeg"
        : bytes.AsSpan().StartsWith(FileSignatures.Png) ? "image/png"
        : throw new ArgumentException("a thumbnail is neither JPEG nor PNG");
}
