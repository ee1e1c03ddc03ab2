using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>An ONNX image network: its classifier where it has one, what can be cut out of it, what it costs.</summary>
internal sealed partial class Backbone
{
    private readonly OnnxFile _onnx;
    private readonly GraphIndex _index;
    private readonly IReadOnlyList<OutputHead> _heads;
    private readonly ClassifierLayer? _classifier;
    private EncoderOutputs? _outputs;
    private string? _features;

    private Backbone(OnnxFile onnx, BackboneInput input, GraphIndex index)
    {
        (_onnx, _index) = (onnx, index);
        // 1. The unit of the pixels comes first: probes run on numbers of that unit.
        Arithmetic = PixelArithmetic.Find(index, input);
        Input = input with { InLevels = Arithmetic.Unit == PixelUnit.Levels };
        ChannelAxis = new(index, input.Height == input.Width, ShapeOf);
        // 2. What each output ends in.
        _heads = ClassifierWalk.Find(index, ShapeOf);
        // 3. Auxiliary classifiers branch off earlier. Where the deepest heads are several, there is no single feature.
        if (OutputHead.Deepest(_heads) is { Features.Count: > 0 } several)
            _heads = [.. _heads, several];
        else
            _classifier = OutputHead.Deepest(_heads)?.Classifier;
    }

    /// <summary>Full path of the model file.</summary>
    public string File => _onnx.File;

    /// <summary>
    /// Of the file, in lower-case hex; with external data, of the hashes of the file and of each data file. Computed on first use.
    /// </summary>
    public string Sha256 => _onnx.Sha256;

    /// <summary>True when weights are in other files beside the model.</summary>
    public bool HasExternalData => _onnx.ExternalFiles.Count > 0;

    public BackboneInput Input { get; }

    /// <summary>False for an encoder, whose feature is one of its outputs.</summary>
    public bool HasClassifier => _classifier is not null;

    /// <summary>Number of classes that it was trained on; 0 when the file does not say, or has no classifier.</summary>
    public int Classes => _classifier?.Classes ?? 0;

    /// <summary>The output that classifies; auxiliary classifiers are passed over. Empty without a classifier.</summary>
    public string ClassifyingOutput => _classifier?.Output ?? "";

    /// <summary>The tensor of the penultimate cut: the input of the classifier; null without one.</summary>
    public string? Penultimate => _classifier?.Feature;

    /// <summary>Version of the default operator set.</summary>
    public int Opset => _onnx.Model.Opset;

    /// <summary>What each output that the photo determines ends in.</summary>
    internal IReadOnlyList<OutputHead> Heads => _heads;

    /// <summary>What the first operators show of the pixels that it takes.</summary>
    internal PixelArithmetic Arithmetic { get; }

    /// <summary>Where the channels of its tensors are.</summary>
    internal ChannelAxis ChannelAxis { get; }

    /// <summary>Key and value pairs that the exporter left in the file.</summary>
    internal IReadOnlyDictionary<string, string> Metadata =>
        _onnx.Model.MetadataProps.GroupBy(p => p.Key).ToDictionary(g => g.Key, g => g.Last().Value, StringComparer.Ordinal);

    /// <summary>A copy of the graph as it was read, its large weights still in the file.</summary>
    internal ModelProto CopyModel() => _onnx.Model.Clone();

    /// <summary>Reads a model and finds its input and its classifier; the weights stay in the file until they are needed.</summary>
    /// <param name="inputSize">Side of the photos, used where the file leaves it open (then 0 means 224).</param>
    /// <exception cref="BadInputException">The file is missing, corrupt, or takes no photos.</exception>
    public static Backbone Open(string file, int inputSize = 0) => Open(file, new PhotoSize(inputSize, inputSize));

    internal static Backbone Open(string file, PhotoSize size)
    {
        var onnx = OnnxFile.Read(file);
        RefuseBlocked(onnx);
        var input = InputReader.Read(onnx.File, onnx.Model, size);
        return new(onnx, input, new GraphIndex(onnx.Model.Graph, input.Name));
    }

    /// <summary>
    /// At its last level of optimization, ONNX Runtime stores weights and maps in blocks as long as the registers of the CPU that it runs
    /// on. Another CPU reads the same file in blocks of another length, without an error.
    /// </summary>
    private static void RefuseBlocked(OnnxFile onnx)
    {
        if (GraphIndex.AllNodes(onnx.Model.Graph).FirstOrDefault(n => n.Domain == "com.microsoft.nchwc") is { } node)
            Throw.BadInput(
                $"{onnx.File}: ONNX Runtime has optimized it for the CPU that it was loaded on (its operator {node.OpType} is of the "
                    + $"domain '{node.Domain}'), and other CPUs would compute other vectors; use the file that it was made from, or "
                    + "optimize that one again with ORT_ENABLE_EXTENDED"
            );
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

    /// <summary>
    /// A request that names its tensor: without a classifier the default cut becomes the output that it means, so that what is stored of it
    /// stays true. Other requests are returned as they are.
    /// </summary>
    /// <exception cref="UsageException">It is not clear which output is the feature.</exception>
    public CutRequest Explicit(CutRequest request) =>
        HasClassifier || request.Cut != CutRequest.Penultimate ? request : request with { Cut = Outputs.Choose(request.Pooling).Name };

    /// <summary>One line on which tensor the default cut takes and why; null where it is the input of the only classifier.</summary>
    /// <exception cref="UsageException">It is not clear which output is the feature.</exception>
    public string? FeatureNote(CutRequest request)
    {
        if (request.Cut != CutRequest.Penultimate)
            return null;
        if (_classifier is null)
            return Outputs.Note(Outputs.Choose(request.Pooling), request.Pooling);
        var others = _heads.Where(h => h.Classifier is { } c && c.Feature != _classifier.Feature || h.Features.Count > 0).ToList();
        return others.Count == 0
            ? null
            : $"{Path.GetFileName(File)}: the feature is that of its deepest classifier, '{_classifier.Output}'; of others, for --cut: "
                + string.Join(", ", others.Select(h => $"'{h.Classifier?.Feature ?? h.Features[0]}' ('{h.Output}')"));
    }

    /// <summary>Shape of a tensor for one photo, or as many as the file fixes; null where the network does not run.</summary>
    private long[]? ShapeOf(string tensor)
    {
        try
        {
            return ShapeProbe.Run(File, _onnx.Model, _index, Input, [tensor])[tensor].Shape;
        }
        catch (BadInputException)
        {
            // The size of the photos may still change; the run that makes vectors reports what is wrong.
            return null;
        }
    }

    private EncoderOutputs Outputs => _outputs ??= EncoderOutputs.Find(File, _onnx.Model, _index, Input, _heads);

    /// <summary>The tensor from which maps and places to cut are searched, towards the image.</summary>
    private string Root =>
        _classifier?.Feature
        ?? Outputs.Root
        ?? throw new UsageException($"{Path.GetFileName(File)}: none of its outputs comes from the photo alone; name a tensor with --cut");

    /// <summary>The tensor that a request means, and the pooling that makes it a vector.</summary>
    private CutPoint Resolve(CutRequest request)
    {
        switch (request.Cut)
        {
            case CutRequest.Penultimate when _classifier is null:
                return new(Outputs.Choose(request.Pooling).Name, request.Pooling, null);
            case CutRequest.Penultimate:
                // SqueezeNet's feature is a map; without its average the vector would not be what the classifier sees.
                var pooling =
                    _classifier.Averaged && request.Pooling.Kind == PoolingKind.None ? new Pooling(PoolingKind.Avg) : request.Pooling;
                return new(_classifier.Feature, pooling, _classifier.Quantized);
            // A tensor of this very name is what a file, or a default cut that is stored by its name, means.
            case CutRequest.Features when !_index.Depends(CutRequest.Features):
                return new(_features ??= FeatureMapFinder.Find(File, _onnx.Model, _index, Input, Root), request.Pooling, null);
            default:
                return new(TensorNames.Find(File, _index, request.Cut), request.Pooling, null);
        }
    }
}

/// <summary>A tensor and what is done with it; with scale and zero point when it is of 8 bits.</summary>
internal sealed record CutPoint(string Tensor, Pooling Pooling, (string Scale, string ZeroPoint)? Quantized);
