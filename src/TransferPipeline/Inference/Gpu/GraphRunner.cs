using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;

namespace TransferPipeline.Inference.Gpu;

/// <summary>
/// Replays a CUDA graph: all kernels of a batch are launched as one. A graph reads and writes the addresses that it was captured with,
/// and those of <see cref="BoundRunner"/> stay.
/// </summary>
/// <remarks>
/// ONNX Runtime captures at the first run of a thread, after runs without a graph within the same call, and launches nothing else when it
/// replays; its session may be called by one thread only. While any thread captures (in CUDA's global mode), copies and allocations of
/// all threads are forbidden: <see cref="CaptureGate"/>.
/// (CUDA C++ Programming Guide, "CUDA Graphs"; ONNX Runtime, "CUDA Execution Provider", enable_cuda_graph.)
/// </remarks>
internal sealed class GraphRunner : IBatchRunner
{
    /// <summary>
    /// Names given to graphs so far, from 1: 0 is ONNX Runtime's own, and a session keeps the graphs of runs before, with their addresses.
    /// </summary>
    private static int _graphs;

    /// <summary>Largest distance of a replayed vector, relative to its length; the same kernels ran, so it is nearly always 0.</summary>
    private const float Tolerance = 1e-3f;

    private readonly InferenceSession _session;
    private readonly CutModel _model;
    private readonly TensorMemory _memory;
    private readonly BoundRunner _captured;

    /// <param name="memory">The GPU's; tests give plain memory.</param>
    public GraphRunner(InferenceSession session, CutModel model, TensorMemory memory, int size)
    {
        (_session, _model, _memory) = (session, model, memory);
        _captured = new(session, model, memory, size, Interlocked.Increment(ref _graphs).ToString(CultureInfo.InvariantCulture));
    }

    public void Run(BatchTensors batch) => _captured.Run(batch);

    /// <summary>
    /// Captures the graph, and runs two batches of synthetic pixels with and without it: stale inputs or outputs would be silent otherwise.
    /// </summary>
    /// <exception cref="JobFailedException">They differ.</exception>
    public void Prove(BatchTensors scratch)
    {
        // 1. Two different batches without the graph. They must differ, or a stale input would look like a fresh one.
        using var plain = new BoundRunner(_session, _model, _memory, scratch.Size);
        var (flat, noisy) = (
            SyntheticBatch.Vectors(plain, scratch, SyntheticBatch.Bands),
            SyntheticBatch.Vectors(plain, scratch, SyntheticBatch.Noise)
        );
        if (SyntheticBatch.Distance(flat, noisy) <= 10 * Tolerance)
            throw new JobFailedException(
                "CUDA graphs cannot be proven right: the backbone gives the same vectors for different pixels; run again with "
                    + "--cuda-graphs off"
            );

        // 2. The first batch captures the graph, the second replays it with another input.
        var wrong = Math.Max(
            SyntheticBatch.Distance(flat, SyntheticBatch.Vectors(this, scratch, SyntheticBatch.Bands)),
            SyntheticBatch.Distance(noisy, SyntheticBatch.Vectors(this, scratch, SyntheticBatch.Noise))
        );
        if (!(wrong <= Tolerance))
            throw new JobFailedException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"CUDA graphs give other vectors than the same kernels without them (distance {wrong:0.0e0} of a vector's "
                        + $"length): run again with --cuda-graphs off"
                )
            );
    }

    public void Dispose() => _captured.Dispose();
}
