using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>An ONNX image classifier: where its classifier is, what can be cut out of it, what it costs.</summary>
public sealed partial class Backbone
{
    private readonly OnnxFile _onnx;
    private readonly GraphIndex _index;
    private readonly ClassifierLayer _classifier;
    private string? _features;

    private Backbone(OnnxFile onnx, BackboneInput input, GraphIndex index, ClassifierLayer classifier) =>
        (_onnx, Input, _index, _classifier) = (onnx, input, index, classifier);

    /// <summary>Full path of the model file.</summary>
    public string File => _onnx.File;

    /// <summary>Of the file, in lower-case hex; with external data, of the hashes of the file and of each data file. Computed on first use.</summary>
    public string Sha256 => _onnx.Sha256;

    /// <summary>True when weights are in other files beside the model.</summary>
    public bool HasExternalData => _onnx.ExternalFiles.Count > 0;

    public BackboneInput Input { get; }

    /// <summary>Number of classes that it was trained on; 0 when the file does not say.</summary>
    public int Classes => _classifier.Classes;

    /// <summary>The output that classifies; auxiliary classifiers are passed over.</summary>
    public string ClassifyingOutput => _classifier.Output;

    /// <summary>The tensor of the penultimate cut: the input of the last layer with weights.</summary>
    public string Penultimate => _classifier.Feature;

    /// <summary>Version of the default operator set.</summary>
    public int Opset => (int)(_onnx.Model.OpsetImport.FirstOrDefault(o => o.Domain is "" or "ai.onnx")?.Version ?? 1);

    /// <summary>Reads a model and finds its input and its classifier; the weights stay in the file until they are needed.</summary>
    /// <param name="inputSize">Side of the photos, used where the file leaves it open (then 0 means 224).</param>
    /// <exception cref="BadInputException">The file is missing, corrupt, or not an image classifier.</exception>
    public static Backbone Open(string file, int inputSize = 0)
    {
        var onnx = OnnxFile.Read(file);
        var input = InputReader.Read(onnx.File, onnx.Model, inputSize);
        var index = new GraphIndex(onnx.Model.Graph, input.Name);
        var classifier = ClassifierWalk.Find(index);
        if (classifier is null)
            Throw.BadInput($"{onnx.File}: no classifier: no output ({string.Join(", ", onnx.Model.Graph.Output.Select(o => o.Name))}) comes from a Gemm, MatMul or 1x1 Conv with weights through softmax, pooling and reshaping only; expected an image classifier");
        return new(onnx, input, index, classifier);
    }

    /// <summary>The graph up to the given cuts, each pooled to a vector; what lies past them is left out.</summary>
    /// <exception cref="UsageException">There is no such tensor, or the pooling does not fit it.</exception>
    /// <exception cref="BadInputException">ONNX Runtime cannot run the model.</exception>
    public CutModel Cut(params IReadOnlyList<CutRequest> requests)
    {
        if (requests.Count == 0)
            requests = [CutRequest.Default];
        return new CutBuilder(this, _onnx, _index).Build(requests, requests.Select(Resolve).ToList());
    }

    /// <summary>The tensor that a request means, and the pooling that makes it a vector.</summary>
    private CutPoint Resolve(CutRequest request)
    {
        switch (request.Cut)
        {
            case CutRequest.Penultimate:
                var pooling = _classifier.Averaged && request.Pooling.Kind == PoolingKind.None ? new Pooling(PoolingKind.Avg) : request.Pooling;
                return new(_classifier.Feature, pooling, _classifier.Quantized);
            case CutRequest.Features:
                return new(_features ??= FeatureMapFinder.Find(File, _onnx.Model, _index, Input, _classifier.Feature), request.Pooling, null);
            default:
                return new(TensorNames.Find(File, _index, request.Cut), request.Pooling, null);
        }
    }
}

/// <summary>A tensor and what is done with it; with scale and zero point when it is of 8 bits.</summary>
internal sealed record CutPoint(string Tensor, Pooling Pooling, (string Scale, string ZeroPoint)? Quantized);
