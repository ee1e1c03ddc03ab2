using System.Collections.Concurrent;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Inference.Gpu.Cuda;

namespace TransferPipeline.Inference.Gpu;

/// <summary>
/// Owns a session of a device. On a GPU that is lost (after an illegal address, or fallen off the bus) every call of CUDA fails, and ONNX
/// Runtime 1.29 ends the whole process when it cannot give memory back (cuda_allocator.cc: CUDAPinnedAllocator::Free throws from a
/// destructor): there the session is kept until the process ends, so that the error can be reported.
/// </summary>
internal sealed class SessionHandle(InferenceSession session, DeviceOptions device) : IDisposable
{
    /// <summary>Never collected.</summary>
    private static readonly ConcurrentBag<InferenceSession> Lost = [];

    public InferenceSession Session { get; } = session;

    public void Dispose()
    {
        if (!device.IsCpu && CudaRuntime.IsLost(device.Index))
            Lost.Add(Session);
        else
            Session.Dispose();
    }
}
