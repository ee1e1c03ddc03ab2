using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Inference.Gpu.Cuda;

namespace TransferPipeline.Inference.Gpu;

/// <summary>Copies bytes from one address to another, host or GPU.</summary>
internal delegate void MemoryCopy(nint destination, nint source, long bytes);

/// <summary>Where tensors lie: plain memory of the host, pinned memory that a GPU reads and writes directly, or the GPU's own.</summary>
internal sealed class TensorMemory : IDisposable
{
    private readonly OrtAllocator _allocator;
    private readonly OrtMemoryInfo? _info;
    private readonly MemoryCopy _copy;

    private TensorMemory(OrtAllocator allocator, OrtMemoryInfo? info, MemoryCopy copy) =>
        (_allocator, _info, _copy) = (allocator, info, copy);

    /// <param name="copy">How <see cref="Copy"/> copies; tests give another.</param>
    public static unsafe TensorMemory Plain(MemoryCopy? copy = null) =>
        new(
            OrtAllocator.DefaultInstance,
            null,
            copy ?? (static (destination, source, bytes) => Buffer.MemoryCopy((void*)source, (void*)destination, bytes, bytes))
        );

    /// <summary>Pinned memory: copies from it to any GPU need no staging and overlap with computing.</summary>
    /// <exception cref="JobFailedException">The driver gives none.</exception>
    public static TensorMemory Pinned(InferenceSession session, int gpu) =>
        Of(
            session,
            "CudaPinned",
            gpu,
            OrtMemType.CpuOutput,
            "no pinned memory",
            (_, _, _) => throw new InvalidOperationException("batches are copied by the memory of the GPU")
        );

    /// <summary>Memory of the GPU, at addresses that stay.</summary>
    /// <exception cref="JobFailedException">The driver gives none.</exception>
    public static TensorMemory OnGpu(InferenceSession session, int gpu) =>
        Of(
            session,
            "Cuda",
            gpu,
            OrtMemType.Default,
            "no memory",
            (destination, source, bytes) => CudaRuntime.Copy(gpu, destination, source, bytes)
        );

    public OrtValue Tensor(TensorElementType type, params long[] shape) => OrtValue.CreateAllocatedTensorValue(_allocator, type, shape);

    /// <summary>Copies a tensor of this memory from one of the host's, or the other way round; both have the same size.</summary>
    public unsafe void Copy(OrtValue source, OrtValue destination)
    {
        var from = source.GetTensorMutableRawData();
        var to = destination.GetTensorMutableRawData();
        // Only the addresses are taken: the bytes may be a GPU's.
        fixed (
            byte* first = from,
                second = to
        )
            _copy((nint)second, (nint)first, from.Length);
    }

    public void Dispose()
    {
        // The default allocator is ONNX Runtime's own and is not released.
        if (_info is null)
            return;
        _allocator.Dispose();
        _info.Dispose();
    }

    private static TensorMemory Of(InferenceSession session, string allocator, int gpu, OrtMemType type, string problem, MemoryCopy copy)
    {
        var info = new OrtMemoryInfo(allocator, OrtAllocatorType.DeviceAllocator, gpu, type);
        try
        {
            return new(new(session, info), info, copy);
        }
        catch (OnnxRuntimeException e)
        {
            info.Dispose();
            throw new JobFailedException($"GPU {gpu}: {problem} ({GpuErrors.Brief(e)}): 'transfer doctor' lists what is there", e);
        }
    }
}
