using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;

namespace TransferPipeline.Features.Cards;

/// <summary>Runs batches where they lie: ONNX Runtime copies them to the card and back. Two of them on a session keep a batch on the bus while another is computed.</summary>
internal sealed class BoundRunner : IBatchRunner
{
    private readonly InferenceSession _session;
    private readonly CutModel _model;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new();

    public BoundRunner(InferenceSession session, CutModel model)
    {
        (_session, _model, _binding) = (session, model, session.CreateIoBinding());
        // A session that can capture CUDA graphs must not do so with tensors that come and go.
        _options.AddRunConfigEntry(GraphRunner.GraphId, GraphRunner.NoGraph);
    }

    public void Run(HostBatch batch)
    {
        // Binding an input is what copies it to the card: it has to be done anew for each batch, also for the same memory.
        batch.Tensors.Bind(_binding, _model);
        _binding.SynchronizeBoundInputs();
        _session.RunWithBinding(_options, _binding);
        _binding.SynchronizeBoundOutputs();
    }

    public void Dispose()
    {
        _binding.Dispose();
        _options.Dispose();
    }
}
