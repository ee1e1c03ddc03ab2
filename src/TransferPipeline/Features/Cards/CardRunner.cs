using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;

namespace TransferPipeline.Features.Cards;

/// <summary>One caller of a card's session; two of them keep a batch on the bus while another is computed. Not thread-safe.</summary>
internal sealed class CardRunner(InferenceSession session, CutModel model) : IDisposable
{
    private readonly OrtIoBinding _binding = session.CreateIoBinding();
    private readonly RunOptions _options = new();

    public void Run(HostBatch batch)
    {
        // Binding an input is what copies it to the card: it has to be done anew for each batch, also for the same memory.
        _binding.BindInput(model.InputName, batch.Input);
        for (var i = 0; i < batch.Outputs.Length; i++)
            _binding.BindOutput(model.Outputs[i].Name, batch.Outputs[i]);
        _binding.SynchronizeBoundInputs();
        session.RunWithBinding(_options, _binding);
        _binding.SynchronizeBoundOutputs();
    }

    /// <summary>Computes batches until there are none.</summary>
    public void Run(ExtractionRun run, BatchRing ring)
    {
        while (ring.Take() is { } batch)
        {
            var time = Stopwatch.GetTimestamp();
            Run(batch);
            for (var slot = 0; slot < batch.Items.Length; slot++)
                Hand(batch, slot);
            run.Times.Infer(time);
            foreach (var item in batch.Items)
            {
                if (item is { } done)
                    run.Finish(done.Part, 1);
            }

            ring.Release(batch);
        }
    }

    public void Dispose()
    {
        _binding.Dispose();
        _options.Dispose();
    }

    private static void Hand(HostBatch batch, int slot)
    {
        if (batch.Items[slot] is not { } item)
            return;
        for (var output = 0; output < item.Part.Vectors.Length; output++)
        {
            var vector = batch.Vector(output, slot);
            PhotoReader.RequireFinite(vector, item.Row.Path);
            vector.CopyTo(item.Part.Vectors[output].Row(item.Slot));
        }

        item.Part.Rows[item.Slot] = item.Row;
    }
}
