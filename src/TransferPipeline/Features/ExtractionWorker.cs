using System.Diagnostics;
using System.Numerics.Tensors;
using System.Security.Cryptography;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Images;

namespace TransferPipeline.Features;

/// <summary>
/// Takes photos from file to vector on one thread, with nothing handed over on the way: reads, hashes, decodes, preprocesses into
/// its batch, and runs the session whenever the batch is full.
/// </summary>
internal sealed class ExtractionWorker : IDisposable
{
    private readonly ExtractionJob _job;
    private readonly WorkQueue _queue;
    private readonly WorkerTimes _times;
    private readonly SemaphoreSlim _finished;
    private readonly TensorLayout _layout;
    private readonly BackboneRunner _runner;
    private readonly Preprocessor _preprocessor;
    private readonly IViewRenderer? _renderer;
    private readonly RgbImage _photo = new();
    private readonly (PartBuffer Part, int Slot, FeatureRow Row)[] _batch;
    private byte[] _encoded = new byte[1 << 18];
    private int _filled;

    public ExtractionWorker(ExtractionJob job, InferenceSession session, CutModel model, int batch, WorkQueue queue, WorkerTimes times, SemaphoreSlim finished)
    {
        (_job, _queue, _times, _finished) = (job, queue, times, finished);
        _layout = model.Layout;
        _runner = new(session, model, batch);
        _preprocessor = new(job.Preprocessing);
        _renderer = job.Views is { Count: > 0 } views ? views.CreateRenderer() : null;
        _batch = new (PartBuffer, int, FeatureRow)[batch];
    }

    /// <summary>Works until there are no photos left; when cancelled, finishes the vectors whose pixels are ready and returns.</summary>
    public void Run(CancellationToken cancellation)
    {
        try
        {
            while (!cancellation.IsCancellationRequested)
            {
                // What is in the batch may be all that the writer waits for: no waiting before it is done.
                var item = _queue.Next(mayWait: _filled == 0, cancellation, out var end);
                if (item is { } photo)
                    Do(photo);
                else if (end)
                    break;
                else
                    Flush();
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }

        Flush();
    }

    public void Dispose() => _runner.Dispose();

    private void Do(WorkItem item)
    {
        var entry = item.Part.Slots[item.First].Entry;
        var photo = _job.Dataset.Entries[entry];
        var time = Stopwatch.GetTimestamp();
        var (sha, bytes, mtime) = ("", 0L, 0L);
        var filled = 0;
        try
        {
            var stamp = _job.Dataset.Stamp(entry);
            var length = _job.Dataset.Read(entry, ref _encoded);
            var encoded = _encoded.AsSpan(0, length);
            sha = Convert.ToHexStringLower(SHA256.HashData(encoded));
            // A photo that changes while it is read gets no time: the next run reads it again.
            (bytes, mtime) = (length, stamp.Bytes == length ? stamp.Mtime : 0);
            time = _times.Read(time);
            _job.Decoder.Decode(encoded, _job.Decode, _photo);
            time = _times.Decode(time);
            var row = new FeatureRow(photo.Path, photo.Label, photo.Split, 0, sha, bytes, mtime, _photo.Width, _photo.Height);
            for (; filled < item.Count; filled++)
                time = Fill(item.Part, item.First + filled, row, time);
        }
        catch (Exception e) when (e is ImageDecodeException or IOException or UnauthorizedAccessException)
        {
            item.Part.Fail(entry, new(photo.Path, photo.Label, photo.Split, sha, bytes, mtime, e.Message.ReplaceLineEndings(" ")));
            Finish(item.Part, item.Count - filled);
        }
    }

    private long Fill(PartBuffer part, int slot, FeatureRow row, long time)
    {
        var view = part.Slots[slot].View;
        var pixels = _runner.Pixels(_filled);
        if (view == 0)
            _preprocessor.Run(_photo, pixels, _layout);
        else
            _renderer!.Render(_photo, row.ImageSha256, view, pixels, _layout);
        time = _times.Preprocess(time);
        _batch[_filled++] = (part, slot, view == 0 ? row : row with { View = view });
        return _filled == _batch.Length ? Flush() : time;
    }

    private long Flush()
    {
        var time = Stopwatch.GetTimestamp();
        if (_filled == 0)
            return time;
        _runner.Run();
        for (var i = 0; i < _filled; i++)
            Take(i);
        time = _times.Infer(time);
        for (var i = 0; i < _filled; i++)
            Finish(_batch[i].Part, 1);
        _filled = 0;
        return time;
    }

    private void Take(int i)
    {
        var (part, slot, row) = _batch[i];
        for (var output = 0; output < part.Vectors.Length; output++)
        {
            var vector = _runner.Vectors(output).Row(i);
            if (!float.IsFinite(TensorPrimitives.Sum<float>(vector)) && vector.ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
                throw new JobFailedException($"the backbone gives no finite vector for {row.Path}: check its precision and preprocessing with 'transfer inspect'");
            vector.CopyTo(part.Vectors[output].Row(slot));
        }

        part.Rows[slot] = row;
    }

    private void Finish(PartBuffer part, int slots)
    {
        _times.Finish(slots);
        if (part.Finish(slots))
            _finished.Release();
    }
}
