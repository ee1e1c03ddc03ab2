using System.Diagnostics;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;

namespace TransferPipeline.Extraction;

/// <summary>Takes batches from the ring to a GPU and hands their vectors to the parts.</summary>
internal static class GpuWorker
{
    /// <summary>Computes batches until there are none.</summary>
    /// <exception cref="JobFailedException">The GPU's memory is exhausted.</exception>
    public static void Run(IBatchRunner runner, ExtractionPass pass, BatchRing ring)
    {
        while (ring.Take() is { } batch)
        {
            var time = Stopwatch.GetTimestamp();
            GpuErrors.Run(() => runner.Run(batch.Tensors), batch.Tensors.Size, pass.Spec.Device);
            for (var slot = 0; slot < batch.Tensors.Size; slot++)
                Deliver(batch, slot);
            pass.Times.Infer(time);
            // Last: a part that is finished may be written, and its memory reused, at once.
            foreach (var item in batch.Items)
            {
                if (item is { } done)
                    pass.Finish(done.Part, 1);
            }

            ring.Release(batch);
        }
    }

    private static void Deliver(HostBatch batch, int slot)
    {
        if (batch.Items[slot] is not { } item)
            return;
        for (var output = 0; output < item.Part.Vectors.Length; output++)
        {
            var vector = batch.Tensors.Vector(output, slot);
            PhotoSource.RequireFinite(vector, item.Row.Path);
            vector.CopyTo(item.Part.Vectors[output].Row(item.Slot));
        }

        item.Part.Rows[item.Slot] = item.Row;
    }
}
