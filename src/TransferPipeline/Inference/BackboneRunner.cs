using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Images;

namespace TransferPipeline.Inference;

/// <summary>
/// One caller of a session: a batch of pixels and a batch of vectors for each cut in pinned memory. Not thread-safe;
/// several runners may share a session.
/// </summary>
internal sealed class BackboneRunner : IDisposable
{
    private readonly InferenceSession _session;
    private readonly OrtIoBinding _binding;
    private readonly RunOptions _options = new();
    private readonly List<OrtValue> _values = [];
    private readonly float[] _pixels;
    private readonly FeatureMatrix[] _vectors;
    private readonly string _inputName;
    private readonly OrtValue _input;

    public BackboneRunner(InferenceSession session, CutModel model, int batch)
    {
        (_session, Batch) = (session, batch);
        PixelsPerPhoto = 3 * model.InputHeight * model.InputWidth;
        // Pinned, since bindings keep the address for the runner's life.
        _pixels = GC.AllocateArray<float>(checked(batch * PixelsPerPhoto), pinned: true);
        long[] shape =
            model.Layout == TensorLayout.Nchw
                ? [batch, 3, model.InputHeight, model.InputWidth]
                : [batch, model.InputHeight, model.InputWidth, 3];
        _vectors = [.. model.Outputs.Select(o => new FeatureMatrix(batch, o.Dimension))];
        _binding = session.CreateIoBinding();
        (_inputName, _input) = (model.InputName, Value(_pixels, shape));
        for (var i = 0; i < _vectors.Length; i++)
            // Outputs are bound once: ONNX Runtime writes the vectors straight into these rows.
            _binding.BindOutput(model.Outputs[i].Name, Value(_vectors[i].Data, [batch, _vectors[i].Columns]));
    }

    public int Batch { get; }

    public int PixelsPerPhoto { get; }

    /// <summary>The input of photo <paramref name="slot"/> of the batch.</summary>
    public Span<float> Pixels(int slot) => _pixels.AsSpan(slot * PixelsPerPhoto, PixelsPerPhoto);

    /// <summary>The vectors of a cut after <see cref="Run"/>: Batch x Dimension.</summary>
    public FeatureMatrix Vectors(int output) => _vectors[output];

    public void Run()
    {
        // For a device with memory of its own, binding is what copies the pixels there.
        _binding.BindInput(_inputName, _input);
        _session.RunWithBinding(_options, _binding);
        _binding.SynchronizeBoundOutputs();
    }

    public void Dispose()
    {
        // Before the values, to which it refers.
        _binding.Dispose();
        _options.Dispose();
        foreach (var value in _values)
            value.Dispose();
    }

    private OrtValue Value(float[] data, long[] shape)
    {
        var value = OrtValue.CreateTensorValueFromMemory(data, shape);
        _values.Add(value);
        return value;
    }
}
