using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;

namespace TransferPipeline.Inference.Gpu;

/// <summary>
/// Runs batches at fixed addresses: input and outputs are tensors of the GPU, bound once, and each batch is copied there and back. Two of
/// them on a session keep a batch on the bus while another is computed.
/// </summary>
/// <remarks>
/// The copies are made here because ONNX Runtime's own do not suit: 1.29 fails on outputs bound to pinned memory (it copies them onto
/// themselves), reads pinned inputs over the bus from within its kernels, and waits for the whole GPU, the other lane's batch included,
/// in SynchronizeBoundInputs and SynchronizeBoundOutputs. A run itself waits for its own stream and is over when it returns.
/// </remarks>
internal sealed class BoundRunner : IBatchRunner
{
    /// <summary>ONNX Runtime's run option that names the graph to capture or replay.</summary>
    private const string GraphId = "gpu_graph_id";

    /// <summary>Neither captures nor replays.</summary>
    private const string NoGraph = "-1";

    private readonly InferenceSession _session;
    private readonly TensorMemory _memory;
    private readonly BatchTensors _fixed;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new();

    /// <param name="memory">The GPU's; tests give plain memory.</param>
    /// <param name="graph">The CUDA graph that a session which captures them is to use; by default none.</param>
    public BoundRunner(InferenceSession session, CutModel model, TensorMemory memory, int size, string graph = NoGraph)
    {
        (_session, _memory) = (session, memory);
        _fixed = new(memory, model, size);
        _binding = session.CreateIoBinding();
        _fixed.Bind(_binding, model);
        _options.AddRunConfigEntry(GraphId, graph);
    }

    public void Run(BatchTensors batch)
    {
        // The copy blocks this lane's thread alone; the other lane computes meanwhile.
        _memory.Copy(batch.Input, _fixed.Input);
        _session.RunWithBinding(_options, _binding);
        for (var i = 0; i < _fixed.Outputs.Length; i++)
            _memory.Copy(_fixed.Outputs[i], batch.Outputs[i]);
    }

    public void Dispose()
    {
        // Before the tensors, to which it refers.
        _binding.Dispose();
        _options.Dispose();
        _fixed.Dispose();
    }
}
