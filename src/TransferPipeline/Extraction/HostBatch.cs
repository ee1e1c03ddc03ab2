using TransferPipeline.Backbones;
using TransferPipeline.Features;
using TransferPipeline.Inference.Gpu;

namespace TransferPipeline.Extraction;

/// <summary>One batch on its way: pixels and vectors in memory of the host, and where each vector belongs.</summary>
internal sealed class HostBatch(TensorMemory memory, CutModel model, int size) : IDisposable
{
    public BatchTensors Tensors { get; } = new BatchTensors(memory, model, size).Clear();

    /// <summary>By slot: part, slot of the part, row. Null where a photo failed, and past the last photo.</summary>
    public (PartBuffer Part, int Slot, FeatureRow Row)?[] Items { get; } = new (PartBuffer, int, FeatureRow)?[size];

    /// <summary>Its place among the batches of this pass.</summary>
    public int Number { get; set; }

    /// <summary>Slots that are neither filled nor abandoned yet.</summary>
    public int Open { get; set; }

    public void Dispose() => Tensors.Dispose();
}
