using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Backbones;

namespace TransferPipeline.Inference.Gpu;

/// <summary>The input (bytes, N x height x width x 3) and the outputs (float32, N x dimension each) of one batch, in memory of one kind.</summary>
internal sealed class BatchTensors(TensorMemory memory, CutModel model, int size) : IDisposable
{
    public OrtValue Input { get; } = memory.Tensor(TensorElementType.UInt8, size, model.InputHeight, model.InputWidth, 3);

    public OrtValue[] Outputs { get; } = [.. model.Outputs.Select(o => memory.Tensor(TensorElementType.Float, size, o.Dimension))];

    /// <summary>Binds all to a session's names.</summary>
    public void Bind(OrtIoBinding binding, CutModel names)
    {
        binding.BindInput(names.InputName, Input);
        for (var i = 0; i < Outputs.Length; i++)
            binding.BindOutput(names.Outputs[i].Name, Outputs[i]);
    }

    public void Dispose()
    {
        Input.Dispose();
        foreach (var output in Outputs)
            output.Dispose();
    }
}
