using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Images;
using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>A backbone stopped at one or more cuts: an ONNX graph from a batch of pixels to a batch of vectors for each cut.</summary>
internal sealed record CutModel
{
    /// <summary>
    /// The graph, read-only: whoever changes it clones it first. Nothing past the cuts is in it. Its large weights are still in the
    /// backbone's own files, which it names as ONNX external data by their full paths; <see cref="SerializeWithWeights"/> includes them.
    /// </summary>
    public required ModelProto Model { get; init; }

    /// <summary>Bytes of weights that are not in <see cref="Model"/>.</summary>
    public long ExternalBytes { get; init; }

    public required string InputName { get; init; }

    public required TensorLayout Layout { get; init; }

    public required int InputHeight { get; init; }

    public required int InputWidth { get; init; }

    /// <summary>
    /// The input is uint8, N x height x width x 3, and normalized in the graph (<see cref="PixelInput"/>); otherwise it is normalized
    /// float32.
    /// </summary>
    public bool TakesBytes { get; init; }

    /// <summary>One a request, in that order; each is an N x Dimension float32 output.</summary>
    public required IReadOnlyList<CutOutput> Outputs { get; init; }

    /// <summary>Largest batch that is proven to give the same as one by one; null when there is no limit.</summary>
    public required int? MaxBatch { get; init; }

    /// <summary>What the user should know of the batch (made dynamic; runs one by one because ...), or null.</summary>
    public string? BatchMessage { get; init; }

    /// <summary>A number of photos, or fewer where the backbone takes fewer at once.</summary>
    public int AtMost(int photos) => Math.Min(photos, MaxBatch ?? photos);

    /// <summary>Bytes of the graph with all its weights.</summary>
    public long TotalBytes => Model.CalculateSize() + ExternalBytes;

    /// <summary>The graph with all its weights in it.</summary>
    /// <exception cref="BadInputException">The backbone's file is gone or changed, or there are more than 2 GB of weights.</exception>
    public byte[] SerializeWithWeights() => ModelSerializer.Serialize(Model);

    /// <summary>A session over the graph, its weights mapped from their files.</summary>
    /// <param name="slice">Load large matrices in slices; for the CPU, whose kernels pack weights.</param>
    /// <exception cref="OnnxRuntimeException">ONNX Runtime refuses the graph.</exception>
    internal InferenceSession CreateSession(SessionOptions options, bool slice) =>
        ExternalBytes == 0 ? new(SerializeWithWeights(), options) : MappedWeights.CreateSession(Model.Clone(), options, slice);
}

/// <param name="Name">The output's name in the graph.</param>
/// <param name="Tensor">The backbone's tensor at which it was cut.</param>
internal sealed record CutOutput(CutRequest Request, string Name, string Tensor, int Dimension)
{
    /// <summary>The tensor's shape for one photo before pooling, the batch axis first.</summary>
    public IReadOnlyList<long> Shape { get; init; } = [];

    /// <summary>The batch axis of the backbone's own tensor.</summary>
    public int BatchAxis { get; init; }
}
