using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Backbones;

namespace TransferPipeline.Features.Cards;

/// <summary>One batch on its way: pixels and vectors in memory of the host, and where each vector belongs.</summary>
internal sealed class HostBatch : IDisposable
{
    private readonly int _pixelsPerPhoto;

    public HostBatch(HostMemory memory, CutModel model, int size)
    {
        _pixelsPerPhoto = 3 * model.InputHeight * model.InputWidth;
        Input = memory.Tensor(TensorElementType.UInt8, size, model.InputHeight, model.InputWidth, 3);
        Input.GetTensorMutableDataAsSpan<byte>().Clear();
        Outputs = [.. model.Outputs.Select(o => memory.Tensor(TensorElementType.Float, size, o.Dimension))];
        Dimensions = [.. model.Outputs.Select(o => o.Dimension)];
        Items = new (PartBuffer, int, FeatureRow)?[size];
    }

    public OrtValue Input { get; }

    public OrtValue[] Outputs { get; }

    public int[] Dimensions { get; }

    /// <summary>By slot: part, slot of the part, row. Null where a photo failed, and past the last photo.</summary>
    public (PartBuffer Part, int Slot, FeatureRow Row)?[] Items { get; }

    /// <summary>Its place among the batches of this pass.</summary>
    public int Number { get; set; }

    /// <summary>Slots that are not yet filled or given up.</summary>
    public int Open { get; set; }

    public Span<byte> Pixels(int slot) => Input.GetTensorMutableDataAsSpan<byte>().Slice(slot * _pixelsPerPhoto, _pixelsPerPhoto);

    public ReadOnlySpan<float> Vector(int output, int slot) => Outputs[output].GetTensorDataAsSpan<float>().Slice(slot * Dimensions[output], Dimensions[output]);

    public void Dispose()
    {
        Input.Dispose();
        foreach (var output in Outputs)
            output.Dispose();
    }
}
