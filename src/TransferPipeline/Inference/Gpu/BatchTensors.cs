using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Backbones;

namespace TransferPipeline.Inference.Gpu;

/// <summary>
/// The input (bytes, N x height x width x 3) and the outputs (float32, N x dimension each) of one batch, in memory of one kind.
/// </summary>
internal sealed class BatchTensors : IDisposable
{
    private readonly int _pixelsPerPhoto;
    private readonly int[] _dimensions;

    public BatchTensors(TensorMemory memory, CutModel model, int size)
    {
        Size = size;
        _pixelsPerPhoto = 3 * model.InputHeight * model.InputWidth;
        _dimensions = [.. model.Outputs.Select(o => o.Dimension)];
        Input = memory.Tensor(TensorElementType.UInt8, size, model.InputHeight, model.InputWidth, 3);
        Outputs = new OrtValue[_dimensions.Length];
        try
        {
            for (var i = 0; i < Outputs.Length; i++)
                Outputs[i] = memory.Tensor(TensorElementType.Float, size, _dimensions[i]);
        }
        catch
        {
            // What there was room for is given back: nobody else knows of it.
            Dispose();
            throw;
        }
    }

    /// <summary>Photos in the batch.</summary>
    public int Size { get; }

    public OrtValue Input { get; }

    public OrtValue[] Outputs { get; }

    /// <summary>The pixels of one photo; for memory of the host.</summary>
    public Span<byte> Pixels(int slot) => Input.GetTensorMutableDataAsSpan<byte>().Slice(slot * _pixelsPerPhoto, _pixelsPerPhoto);

    /// <summary>The vector of one photo; for memory of the host.</summary>
    public ReadOnlySpan<float> Vector(int output, int slot) =>
        Outputs[output].GetTensorDataAsSpan<float>().Slice(slot * _dimensions[output], _dimensions[output]);

    /// <summary>Binds all to a session's names.</summary>
    public void Bind(OrtIoBinding binding, CutModel names)
    {
        binding.BindInput(names.InputName, Input);
        for (var i = 0; i < Outputs.Length; i++)
            binding.BindOutput(names.Outputs[i].Name, Outputs[i]);
    }

    /// <summary>Zeroes the pixels; for memory of the host.</summary>
    public BatchTensors Clear()
    {
        Input.GetTensorMutableDataAsSpan<byte>().Clear();
        return this;
    }

    public void Dispose()
    {
        Input.Dispose();
        // Null are those that were not allocated.
        foreach (var output in Outputs)
            output?.Dispose();
    }
}
