using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;

namespace TransferPipeline.Extraction;

/// <summary>
/// Takes photos from file to vector on one thread, with nothing handed over on the way: reads, hashes, decodes and preprocesses a
/// batch of photos, then runs the session on it.
/// </summary>
internal sealed class ExtractionWorker : IDisposable
{
    private readonly ExtractionPass _pass;
    private readonly TensorLayout _layout;
    private readonly BackboneRunner _runner;
    private readonly PhotoSource _source;
    private readonly (PartBuffer Part, int Slot, FeatureRow Row)[] _batch;
    private int _filled;

    public ExtractionWorker(ExtractionPass pass, InferenceSession session, CutModel model, int batch)
    {
        _pass = pass;
        _source = new(pass.Spec, pass.Times);
        _layout = model.Layout;
        _runner = new(session, model, batch);
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
                var item = _pass.Queue.Next(mayWait: _filled == 0, cancellation, out var end);
                if (item is { } photo)
                    Do(photo);
                else if (end)
                    break;
                else
                    Flush();
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested) { }

        // After a cancellation too: what was decoded is worth one run of the network.
        Flush();
    }

    public void Dispose() => _runner.Dispose();

    private void Do(WorkItem item)
    {
        var filled = 0;
        try
        {
            _source.Read(item.Entry, item.IsPlain);
            for (; filled < item.Count; filled++)
                Fill(item.Part, item.First + filled);
        }
        catch (Exception e) when (PhotoSource.IsOfPhoto(e))
        {
            _source.Fail(item, e);
            // Views that were filled before the error are in the batch and finish with it.
            _pass.Finish(item.Part, item.Count - filled);
        }
    }

    private void Fill(PartBuffer part, int slot)
    {
        _batch[_filled] = (part, slot, _source.Write(part.Slots[slot].View, _runner.Pixels(_filled), _layout));
        if (++_filled == _batch.Length)
            Flush();
    }

    private void Flush()
    {
        if (_filled == 0)
            return;
        var time = Stopwatch.GetTimestamp();
        // Always the full batch, whatever its unused slots hold: a product of fewer rows may sum in another order.
        _runner.Run();
        for (var i = 0; i < _filled; i++)
            Take(i, _batch[i]);
        _pass.Times.Infer(time);
        // Last: a part that is finished may be written, and its memory reused, at once.
        for (var i = 0; i < _filled; i++)
            _pass.Finish(_batch[i].Part, 1);
        _filled = 0;
    }

    private void Take(int at, (PartBuffer Part, int Slot, FeatureRow Row) photo)
    {
        var (part, slot, row) = photo;
        for (var output = 0; output < part.Vectors.Length; output++)
        {
            var vector = _runner.Vectors(output).Row(at);
            PhotoSource.RequireFinite(vector, row.Path);
            vector.CopyTo(part.Vectors[output].Row(slot));
        }

        part.Rows[slot] = row;
    }
}
