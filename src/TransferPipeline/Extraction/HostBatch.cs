using TransferPipeline.Backbones;
using TransferPipeline.Features;
using TransferPipeline.Inference.Gpu;

namespace TransferPipeline.Extraction;

/// <summary>One batch on its way: pixels and vectors in memory of the host, and where each vector belongs.</summary>
internal sealed class HostBatch : IDisposable
{
    private readonly int _pixelsPerPhoto;
    private readonly int[] _dimensions;

    public HostBatch(TensorMemory memory, CutModel model, int size)
    {
        _pixelsPerPhoto = 3 * model.InputHeight * model.InputWidth;
        _dimensions = [.. model.Outputs.Select(o => o.Dimension)];
        Tensors = new(memory, model, size);
        Tensors.Input.GetTensorMutableDataAsSpan<byte>().Clear();
        Items = new (PartBuffer, int, FeatureRow)?[size];
    }

    public BatchTensors Tensors { get; }

    /// <summary>By slot: part, slot of the part, row. Null where a photo failed, and past the last photo.</summary>
    public (PartBuffer Part, int Slot, FeatureRow Row)?[] Items { get; }

    public int Size => Items.Length;

    /// <summary>Its place among the batches of this pass.</summary>
    public int Number { get; set; }

    /// <summary>Slots that are not yet filled or given up.</summary>
    public int Open { get; set; }

    public Span<byte> Pixels(int slot) => Tensors.Input.GetTensorMutableDataAsSpan<byte>().Slice(slot * _pixelsPerPhoto, _pixelsPerPhoto);

    public ReadOnlySpan<float> Vector(int output, int slot) =>
        Tensors.Outputs[output].GetTensorDataAsSpan<float>().Slice(slot * _dimensions[output], _dimensions[output]);

    public void Dispose() => Tensors.Dispose();
}
