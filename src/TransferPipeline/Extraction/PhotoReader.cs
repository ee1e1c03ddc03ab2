using System.Numerics.Tensors;
using System.Security.Cryptography;
using TransferPipeline.Features;
using TransferPipeline.Images;

namespace TransferPipeline.Extraction;

/// <summary>Reads, hashes and decodes photos on one thread; remembers enough of the last one to record why it failed.</summary>
internal sealed class PhotoReader(ExtractionJob job, WorkerTimes times)
{
    private byte[] _encoded = new byte[1 << 18];
    private string _sha = "";
    private long _bytes;
    private long _mtime;

    /// <summary>The photo that was read last, of which only the region asked for is there.</summary>
    public RgbImage Photo { get; } = new();

    /// <summary>The row of view 0; the time it took is counted from <paramref name="time"/>, which becomes now.</summary>
    /// <param name="region">What is read of the photo; null for all.</param>
    public FeatureRow Read(int entry, IPhotoRegion? region, ref long time)
    {
        var photo = job.Dataset.Entries[entry];
        (_sha, _bytes, _mtime) = ("", 0, 0);
        var stamp = job.Dataset.Stamp(entry);
        var length = job.Dataset.Read(entry, ref _encoded);
        var encoded = _encoded.AsSpan(0, length);
        _sha = Convert.ToHexStringLower(SHA256.HashData(encoded));
        // A photo that changes while it is read gets no time: the next run reads it again.
        (_bytes, _mtime) = (length, stamp.Bytes == length ? stamp.Mtime : 0);
        time = times.Read(time);
        job.Decoder.Decode(encoded, job.Decode, Photo, region);
        time = times.Decode(time);
        return new(photo.Path, photo.Label, photo.Split, 0, _sha, _bytes, _mtime, Photo.Width, Photo.Height);
    }

    /// <summary>Errors that concern one photo: it is recorded with its reason and the run goes on.</summary>
    public static bool IsOfPhoto(Exception e) => e is ImageDecodeException or IOException or UnauthorizedAccessException;

    public void Fail(WorkItem item, Exception e)
    {
        var entry = item.Part.Slots[item.First].Entry;
        var photo = job.Dataset.Entries[entry];
        item.Part.Fail(entry, new(photo.Path, photo.Label, photo.Split, _sha, _bytes, _mtime, e.OneLine()));
    }

    /// <exception cref="JobFailedException">A value is infinite or not a number.</exception>
    public static void RequireFinite(ReadOnlySpan<float> vector, string path)
    {
        if (!float.IsFinite(TensorPrimitives.Sum(vector)) && vector.ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            throw new JobFailedException($"the backbone gives no finite vector for {path}: check its precision and preprocessing with 'transfer inspect'");
    }
}
