using TransferPipeline.Datasets;
using TransferPipeline.Images;

namespace TransferPipeline.Jobs;

/// <summary>Decodes all photos of a dataset before any work is done with them.</summary>
internal static class PhotoCheck
{
    /// <summary>Photos that a thread takes at once.</summary>
    private const int PhotosAtOnce = 8;

    /// <summary>The photos that cannot be used with their reasons, in the order of the dataset; the same whatever the threads.</summary>
    /// <param name="done">Called from any thread with the number of photos that have been decoded since the last call.</param>
    public static IReadOnlyList<DatasetProblem> Run(
        Dataset dataset,
        IImageDecoder decoder,
        DecodeOptions options,
        int threads,
        Action<int>? done = null,
        CancellationToken cancellation = default
    )
    {
        var reasons = new string?[dataset.Entries.Count];
        Blocks.For(
            dataset.Entries.Count,
            PhotosAtOnce,
            threads,
            (_, first, end) =>
            {
                var (buffer, photo) = (Array.Empty<byte>(), new RgbImage());
                for (var i = first; i < end; i++)
                    reasons[i] = Reason(dataset, i, decoder, options, ref buffer, photo);
                done?.Invoke(end - first);
            },
            cancellation
        );
        return
        [
            .. reasons
                .Select((reason, i) => (reason, i))
                .Where(p => p.reason is not null)
                .Select(p => new DatasetProblem(dataset.Entries[p.i].Path, p.reason!)),
        ];
    }

    private static string? Reason(
        Dataset dataset,
        int entry,
        IImageDecoder decoder,
        DecodeOptions options,
        ref byte[] buffer,
        RgbImage photo
    )
    {
        try
        {
            var length = dataset.Read(entry, ref buffer);
            // The whole photo: decoding for a crop would pass over damage outside of it.
            decoder.Decode(buffer.AsSpan(0, length), options, photo);
            return null;
        }
        catch (Exception e) when (e is ImageDecodeException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }
}
