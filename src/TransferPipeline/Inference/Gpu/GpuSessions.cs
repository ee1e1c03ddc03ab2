using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Inference.Gpu.Cuda;

namespace TransferPipeline.Inference.Gpu;

/// <summary>Sessions of some GPUs, two callers each, and the host's memory for their batches.</summary>
internal sealed class GpuSessions : IDisposable
{
    /// <summary>Callers of a GPU: one batch is copied while another is computed.</summary>
    public const int LanesPerGpu = 2;

    private readonly List<SessionHandle> _sessions = [];
    private readonly List<GpuLane> _lanes = [];

    /// <param name="create">Makes a session of one GPU; tests give the CPU's.</param>
    /// <param name="gpuMemory">A GPU's own memory; tests give plain memory.</param>
    public GpuSessions(
        DeviceOptions device,
        Func<DeviceOptions, InferenceSession> create,
        Func<InferenceSession, int, TensorMemory> gpuMemory
    )
    {
        try
        {
            // A later GPU may fail, and a constructor that throws leaves the caller nothing to dispose of.
            foreach (var gpu in device.Gpus)
                AddLanes(gpu, device, create, gpuMemory);
            Host = device.IsCpu ? TensorMemory.Plain() : TensorMemory.Pinned(_lanes[0].Session, _lanes[0].Gpu);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Those of the first GPU come first.</summary>
    public IReadOnlyList<GpuLane> Lanes => _lanes;

    /// <summary>Pinned, for batches of every GPU.</summary>
    public TensorMemory Host { get; } = null!;

    public void Dispose()
    {
        // In this order: threads may still call the sessions, and all memory is a session's.
        _lanes.ForEach(l => l.Thread.Dispose());
        Host?.Dispose();
        _lanes.ForEach(l => l.Memory.Dispose());
        _sessions.ForEach(s => s.Dispose());
        _lanes.Clear();
        _sessions.Clear();
    }

    /// <summary>The lanes of a GPU share its session; but one that replays CUDA graphs may be called by one thread only.</summary>
    private void AddLanes(
        int gpu,
        DeviceOptions device,
        Func<DeviceOptions, InferenceSession> create,
        Func<InferenceSession, int, TensorMemory> memory
    )
    {
        for (var lane = 0; lane < LanesPerGpu; lane++)
        {
            // The limit is of the GPU, and each session has memory of its own.
            var perGpu = device with
            {
                Gpus = [gpu],
                MemoryLimit = device.MemoryLimit / (device.CudaGraphs ? LanesPerGpu : 1),
            };
            if (lane == 0 || device.CudaGraphs)
                _sessions.Add(new(create(perGpu), perGpu));
            var session = _sessions[^1].Session;
            _lanes.Add(new(session, gpu, memory(session, gpu), new(perGpu.IsCpu ? () => { } : () => CudaRuntime.Use(perGpu.Index))));
        }
    }
}
