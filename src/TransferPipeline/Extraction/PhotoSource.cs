using System.Diagnostics;
using System.Numerics.Tensors;
using System.Security.Cryptography;
using TransferPipeline.Features;
using TransferPipeline.Images;

namespace TransferPipeline.Extraction;

/// <summary>
/// One thread's way of a photo from its file to a network's input, on the CPU and on GPUs, in runs and in trials: read, hash, decode, then
/// preprocess into a slot of a batch. Remembers enough of the last photo to record why it failed.
/// </summary>
internal sealed class PhotoSource(ExtractionSpec spec, WorkerTimes times)
{
    private readonly Preprocessor _preprocessor = new(spec.Preprocessing);
    private readonly IViewRenderer? _renderer = spec.Views is { Count: > 0 } views ? views.CreateRenderer() : null;
    private readonly RgbImage _photo = new();
    private byte[] _encoded = new byte[1 << 18];
    private FeatureRow _row = null!;
    private string _sha = "";
    private long _bytes;
    private long _mtime;

    /// <summary>Values of one photo's input: 3 x height x width.</summary>
    public int PixelsPerPhoto => 3 * _preprocessor.OutputHeight * _preprocessor.OutputWidth;

    /// <summary>Reads, hashes and decodes a photo, whose views can then be written.</summary>
    /// <param name="plainOnly">View 0 alone will be written, so that only what its crop needs is decoded.</param>
    public void Read(int entry, bool plainOnly)
    {
        var time = Stopwatch.GetTimestamp();
        var photo = spec.Dataset.Entries[entry];
        // A photo that cannot be read must not be recorded with the hash of the one before.
        (_sha, _bytes, _mtime) = ("", 0, 0);
        // Before the bytes, so that a later change shows as another time in the next run.
        var stamp = spec.Dataset.Stamp(entry);
        var length = spec.Dataset.Read(entry, ref _encoded);
        var encoded = _encoded.AsSpan(0, length);
        _sha = Convert.ToHexStringLower(SHA256.HashData(encoded));
        // A photo that changes while it is read gets no time: the next run reads it again.
        (_bytes, _mtime) = (length, stamp.Bytes == length ? stamp.Mtime : 0);
        time = times.Read(time);
        spec.Decoder.Decode(encoded, spec.Decode, _photo, plainOnly ? _preprocessor : null);
        times.Decode(time);
        _row = new(photo.Path, photo.Label, photo.Split, 0, _sha, _bytes, _mtime, _photo.Width, _photo.Height);
    }

    /// <summary>Writes a view of the photo that was read last as normalized values; returns the view's row.</summary>
    public FeatureRow Write(int view, Span<float> slot, TensorLayout layout)
    {
        var time = Stopwatch.GetTimestamp();
        if (view == 0)
            _preprocessor.Run(_photo, slot, layout);
        else
            _renderer!.Render(_photo, _sha, view, slot, layout);
        times.Preprocess(time);
        return RowOf(view);
    }

    /// <summary>The same before normalization, as a GPU takes it: height x width x 3 bytes, R G B.</summary>
    public FeatureRow WriteBytes(int view, Span<byte> slot)
    {
        var time = Stopwatch.GetTimestamp();
        if (view == 0)
            _preprocessor.RunBytes(_photo, slot);
        else
            _renderer!.RenderBytes(_photo, _sha, view, slot);
        times.Preprocess(time);
        return RowOf(view);
    }

    /// <summary>Errors that concern one photo: it is recorded with its reason and the run goes on.</summary>
    public static bool IsOfPhoto(Exception e) => e is ImageDecodeException or IOException or UnauthorizedAccessException;

    /// <summary>Records why the photo that was read last cannot be used.</summary>
    public void Fail(WorkItem item, Exception e)
    {
        var photo = spec.Dataset.Entries[item.Entry];
        item.Part.Fail(item.Entry, new(photo.Path, photo.Label, photo.Split, _sha, _bytes, _mtime, e.Message.ReplaceLineEndings(" ")));
    }

    /// <exception cref="JobFailedException">A value is infinite or not a number.</exception>
    public static void RequireFinite(ReadOnlySpan<float> vector, string path)
    {
        // A sum is one fast pass; since it may overflow over finite values, they are examined where it is not finite.
        if (!float.IsFinite(TensorPrimitives.Sum(vector)) && vector.ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            throw new JobFailedException(
                $"the backbone gives no finite vector for {path}: check its precision and preprocessing with 'transfer inspect'"
            );
    }

    private FeatureRow RowOf(int view) => view == 0 ? _row : _row with { View = view };
}
