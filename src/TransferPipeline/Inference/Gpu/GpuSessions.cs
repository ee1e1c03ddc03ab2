using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Inference.Gpu.Cuda;

namespace TransferPipeline.Inference.Gpu;

/// <summary>Sessions of some cards, two callers each, and the host's memory for their batches.</summary>
internal sealed class GpuSessions : IDisposable
{
    /// <summary>Callers of a card: one batch is copied while another is computed.</summary>
    public const int LanesOfACard = 2;

    private readonly List<SessionHandle> _sessions = [];
    private readonly List<GpuLane> _lanes = [];

    /// <param name="create">Makes a session of one card; tests give the CPU's.</param>
    /// <param name="cardMemory">A card's own memory; tests give plain memory.</param>
    public GpuSessions(DeviceOptions device, Func<DeviceOptions, InferenceSession> create, Func<InferenceSession, int, TensorMemory> cardMemory)
    {
        try
        {
            foreach (var card in device.Cards)
                AddLanes(card, device, create, cardMemory);
            Host = device.IsCpu ? TensorMemory.Plain() : TensorMemory.Pinned(_lanes[0].Session, _lanes[0].Card);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Those of the first card come first.</summary>
    public IReadOnlyList<GpuLane> Lanes => _lanes;

    /// <summary>Pinned, for batches of every card.</summary>
    public TensorMemory Host { get; } = null!;

    public void Dispose()
    {
        _lanes.ForEach(l => l.Thread.Dispose());
        Host?.Dispose();
        _lanes.ForEach(l => l.Memory.Dispose());
        _sessions.ForEach(s => s.Dispose());
        _lanes.Clear();
        _sessions.Clear();
    }

    /// <summary>The lanes of a card share its session; but one that replays CUDA graphs may be called by one thread only.</summary>
    private void AddLanes(int card, DeviceOptions device, Func<DeviceOptions, InferenceSession> create, Func<InferenceSession, int, TensorMemory> memory)
    {
        for (var lane = 0; lane < LanesOfACard; lane++)
        {
            // The limit is of the card, and each session has memory of its own.
            var ofCard = device with { Cards = [card], MemoryLimit = device.MemoryLimit / (device.CudaGraphs ? LanesOfACard : 1) };
            if (lane == 0 || device.CudaGraphs)
                _sessions.Add(new(create(ofCard), ofCard));
            var session = _sessions[^1].Session;
            _lanes.Add(new(session, card, memory(session, card), new(ofCard.IsCpu ? () => { } : () => CudaRuntime.Use(ofCard.Index))));
        }
    }
}
