using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Quantization;

/// <summary>
/// A float network made ready to be quantized: weights in it, batch dynamic, constants and batch normalizations folded, opset 13.
/// </summary>
internal sealed class FloatNetwork
{
    private FloatNetwork(ModelProto model, BackboneInput input, string feature, int? maxBatch)
    {
        (Model, Input, Feature, MaxBatch) = (model, input, feature, maxBatch);
        Index = new(model.Graph, input.Name);
    }

    public ModelProto Model { get; }

    public GraphIndex Index { get; }

    public BackboneInput Input { get; }

    /// <summary>The tensor of the default cut: it and what follows stay in float.</summary>
    public string Feature { get; }

    /// <summary>As <see cref="CutModel.MaxBatch"/>.</summary>
    public int? MaxBatch { get; }

    /// <summary>The same network with other weights.</summary>
    public FloatNetwork With(ModelProto model) => new(model, Input, Feature, MaxBatch);

    /// <param name="size">Photo size where the file leaves it open.</param>
    /// <param name="cut">The manifest's cut of an encoder; empty for a classifier.</param>
    /// <exception cref="UsageException">The file is quantized already, of 16 bits, or has control flow.</exception>
    public static FloatNetwork Prepare(string file, PhotoSize size, string cut)
    {
        var onnx = OnnxFile.Read(file);
        Require(file, onnx.Model.Graph);
        var backbone = Backbone.Open(file, size);
        var input = backbone.Input;
        var index = new GraphIndex(onnx.Model.Graph, input.Name);
        // All outputs that the photo alone determines, so that the quantized file still gives a classifier's scores.
        List<string> outputs = [.. onnx.Model.Graph.Output.Select(o => o.Name).Where(o => index.Depends(o) && !index.NeedsOther(o))];
        var whole = CutBuilder.WithFloatInput(GraphPruner.Cut(onnx.Model, index, outputs), input);
        Randomness.DropUnused(whole);
        Randomness.Refuse(file, whole);
        foreach (var output in outputs)
            whole.Graph.Output.Add(new ValueInfoProto { Name = output });
        // The batch is freed first, since shapes that contain it would be folded into constants.
        var treated = BatchDoctor.Treat(file, whole, input);
        var model = ModelProto.Parser.ParseFrom(GraphSimplifier.Simplify(ModelSerializer.Serialize(treated.Model)));
        OpsetUpgrade.Apply(file, model, input);
        // After the upgrade, which refuses a BatchNormalization that means something else (spatial = 0).
        BatchNormFolding.Apply(model, input.Name);
        Declare(model, treated, outputs);
        var feature = FeatureOf(file, model, input, backbone, cut);
        // A batch of 1 where BatchDoctor found that photos have to run one by one.
        int? batch = treated.MaxBatch == 1 ? 1 : null;
        return new(model, input with { Batch = batch, ElementType = "float" }, feature, treated.MaxBatch);
    }

    /// <summary>Refuses what cannot be quantized, from the graph alone.</summary>
    /// <inheritdoc cref="Prepare"/>
    public static void Require(string file) => Require(file, OnnxFile.Read(file).Model.Graph);

    private static void Require(string file, GraphProto graph)
    {
        foreach (var node in graph.Node)
        {
            if (node.IsQuantized())
                Throw.Usage($"{file}: is quantized already (it has {node.OpType} layers); give the float model that it was made from");
            if (node.Attribute.Any(a => a.G is not null || a.Graphs.Count > 0))
                Throw.Usage($"{file}: has control flow ({node.OpType}), which int8 is not made of; export the model without it");
        }

        if (TensorData.All(graph).Any(t => (DataType)t.DataType is DataType.Float16 or DataType.Bfloat16))
            Throw.Usage($"{file}: is of 16 bits; quantize the float32 model that it was made from");
    }

    /// <summary>Outputs with their types and shapes, and the domains that are used alone.</summary>
    private static void Declare(ModelProto model, TreatedModel treated, List<string> outputs)
    {
        model.Graph.Output.Clear();
        model.Graph.ValueInfo.Clear();
        foreach (var name in outputs)
        {
            var tensor = treated.Tensors[name];
            long[] dims = [.. tensor.Shape];
            if (tensor.Axis >= 0 && treated.MaxBatch != 1)
                dims[tensor.Axis] = -1;
            model.Graph.Output.Add(GraphWriter.Declare(name, (DataType)(int)tensor.Type, dims));
        }

        // ONNX Runtime's optimizer imports its own domains, and other readers may refuse those that they do not know.
        var used = model.Graph.Node.Select(n => n.Domain is "ai.onnx" ? "" : n.Domain).Append("").ToHashSet(StringComparer.Ordinal);
        foreach (var unused in model.OpsetImport.Where(o => !used.Contains(o.Domain is "ai.onnx" ? "" : o.Domain)).ToList())
            model.OpsetImport.Remove(unused);
    }

    /// <summary>The feature in the simplified graph, in which tensors may have other names.</summary>
    private static string FeatureOf(string file, ModelProto model, BackboneInput input, Backbone backbone, string cut)
    {
        var index = new GraphIndex(model.Graph, input.Name);
        // The manifest's cut comes first: feature sets of this model are made with it.
        if (cut.Length > 0 && index.Depends(cut))
            return cut;
        // Of a classifier no shapes are needed: the file's own graph has shown that it is one.
        if (backbone.HasClassifier && OutputHead.Deepest(ClassifierWalk.Find(index, _ => null))?.Classifier is { } classifier)
            return classifier.Feature;
        var named = backbone.HasClassifier ? backbone.Penultimate! : backbone.Explicit(CutRequest.Default).Cut;
        return index.Depends(named)
            ? named
            : throw new UsageException($"{file}: its feature '{named}' is lost when constants are folded; this network is not quantized");
    }

    /// <summary>The model as a file.</summary>
    public byte[] ToBytes() => Model.ToByteArray();
}
