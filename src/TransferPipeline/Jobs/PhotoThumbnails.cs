using TransferPipeline.Datasets;
using TransferPipeline.Images;
using TransferPipeline.Reports;

namespace TransferPipeline.Jobs;

/// <summary>Thumbnails of a dataset's photos by path, for the pages; a photo that is not there or cannot be read has none.</summary>
internal sealed class PhotoThumbnails
{
    private readonly Dataset? _dataset;
    private readonly ThumbnailMaker _maker;
    private readonly Dictionary<string, int> _entries = new(StringComparer.Ordinal);
    private byte[] _buffer = [];

    /// <param name="dataset">Null when the photos are not on this machine: then no photo has a thumbnail.</param>
    public PhotoThumbnails(Dataset? dataset, IImageDecoder decoder, IImageEncoder encoder, int side = ThumbnailMaker.Side)
    {
        (_dataset, _maker) = (dataset, new(decoder, encoder, side));
        for (var i = 0; i < (dataset?.Entries.Count ?? 0); i++)
            _entries[dataset!.Entries[i].Path] = i;
    }

    public byte[]? Of(string path)
    {
        if (!_entries.TryGetValue(path, out var index))
            return null;
        try
        {
            var length = _dataset!.Read(index, ref _buffer);
            return _maker.Make(_buffer.AsSpan(0, length));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // gone or closed since the extraction: the page shows a blank frame
        }
    }
}
