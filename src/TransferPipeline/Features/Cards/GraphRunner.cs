using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;

namespace TransferPipeline.Features.Cards;

/// <summary>
/// Replays a CUDA graph: all kernels of a batch are launched as one. A graph reads and writes the addresses that it was captured with, so
/// input and outputs stay in tensors of the card, bound once, and each batch is copied there and back.
/// </summary>
/// <remarks>
/// ONNX Runtime captures at the first run of a thread and skips everything else when it replays, copies of outputs included; its session
/// may be called by one thread only. While any thread captures, CUDA forbids copies and allocations of all: <see cref="CaptureGate"/>.
/// </remarks>
internal sealed class GraphRunner : IBatchRunner
{
    /// <summary>ONNX Runtime's run option that names the graph to capture or replay.</summary>
    public const string GraphId = "gpu_graph_id";

    /// <summary>Neither captures nor replays.</summary>
    public const string NoGraph = "-1";

    /// <summary>Largest distance of a replayed vector, relative to its length; the same kernels ran, so it is nearly always 0.</summary>
    private const float Tolerance = 1e-3f;

    private readonly InferenceSession _session;
    private readonly CutModel _model;
    private readonly TensorMemory _memory;
    private readonly BatchTensors _fixed;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new();

    /// <param name="memory">The card's, which this disposes of; tests give plain memory.</param>
    public GraphRunner(InferenceSession session, CutModel model, TensorMemory memory, int size)
    {
        (_session, _model, _memory) = (session, model, memory);
        _fixed = new(memory, model, size);
        _binding = session.CreateIoBinding();
        _fixed.Bind(_binding, model);
        // 0 is ONNX Runtime's own.
        _options.AddRunConfigEntry(GraphId, "1");
    }

    public void Run(HostBatch batch)
    {
        _memory.Copy(batch.Tensors.Input, _fixed.Input);
        _session.RunWithBinding(_options, _binding);
        for (var i = 0; i < _fixed.Outputs.Length; i++)
            _memory.Copy(_fixed.Outputs[i], batch.Tensors.Outputs[i]);
    }

    /// <summary>Captures the graph, and runs two batches of made-up pixels with and without it: stale inputs or outputs would be silent otherwise.</summary>
    /// <exception cref="JobFailedException">They differ.</exception>
    public void Prove(HostBatch scratch)
    {
        using var plain = new BoundRunner(_session, _model);
        var (flat, noisy) = (Vectors(plain, scratch, Bands), Vectors(plain, scratch, Noise));
        if (Distance(flat, noisy) <= 10 * Tolerance)
            throw new JobFailedException("CUDA graphs cannot be proven right: the backbone gives the same vectors for different pixels; run again with --cuda-graphs off");
        var wrong = Math.Max(Distance(flat, Vectors(this, scratch, Bands)), Distance(noisy, Vectors(this, scratch, Noise)));
        if (!(wrong <= Tolerance))
            throw new JobFailedException(FormattableString.Invariant($"CUDA graphs give other vectors than the same kernels without them (distance {wrong:0.0e0} of a vector's length): run again with --cuda-graphs off"));
    }

    public void Dispose()
    {
        _binding.Dispose();
        _options.Dispose();
        _fixed.Dispose();
        _memory.Dispose();
    }

    private static float[][] Vectors(IBatchRunner runner, HostBatch batch, Action<Span<byte>> fill)
    {
        for (var slot = 0; slot < batch.Size; slot++)
            fill(batch.Pixels(slot));
        runner.Run(batch);
        return [.. batch.Tensors.Outputs.Select(o => o.GetTensorDataAsSpan<float>().ToArray())];
    }

    /// <summary>Largest over the outputs, relative to the first's length.</summary>
    private static float Distance(float[][] first, float[][] second) =>
        first.Zip(second, (a, b) => TensorPrimitives.Distance<float>(a, b) / Math.Max(1e-12f, TensorPrimitives.Norm<float>(a))).Max();

    private static void Bands(Span<byte> pixels)
    {
        for (var i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(i * 255L / pixels.Length);
    }

    private static void Noise(Span<byte> pixels) => new Random(7).NextBytes(pixels);
}
