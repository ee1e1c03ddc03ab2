using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace TransferPipeline.Features.Cards;

/// <summary>Memory of the host that a device reads and writes directly: CUDA's pinned memory for a card, plain memory for the CPU.</summary>
internal sealed class HostMemory : IDisposable
{
    private readonly OrtAllocator _allocator;
    private readonly OrtMemoryInfo? _info;

    private HostMemory(OrtAllocator allocator, OrtMemoryInfo? info) => (_allocator, _info) = (allocator, info);

    public static HostMemory Plain() => new(OrtAllocator.DefaultInstance, null);

    /// <summary>Pinned memory: copies from it to the card need no staging and overlap with computing.</summary>
    /// <exception cref="JobFailedException">The driver gives none.</exception>
    public static HostMemory Pinned(InferenceSession session, int card)
    {
        var info = new OrtMemoryInfo("CudaPinned", OrtAllocatorType.DeviceAllocator, card, OrtMemType.CpuOutput);
        try
        {
            return new(new(session, info), info);
        }
        catch (OnnxRuntimeException e)
        {
            info.Dispose();
            throw new JobFailedException($"card {card}: no pinned memory ({e.Message}): raise the limit of locked memory (ulimit -l)", e);
        }
    }

    public OrtValue Tensor(TensorElementType type, params long[] shape) => OrtValue.CreateAllocatedTensorValue(_allocator, type, shape);

    public void Dispose()
    {
        if (_info is null)
            return;
        _allocator.Dispose();
        _info.Dispose();
    }
}
