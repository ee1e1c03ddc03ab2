using TransferPipeline.Backbones;
using TransferPipeline.Onnx;

namespace TransferPipeline.Quantization;

/// <summary>
/// Rewrites a graph of an older opset for opset 13, the first whose DequantizeLinear has a scale for each channel. Operators whose
/// definition changed on the way are rewritten; the values that they make stay the same.
/// </summary>
internal static class OpsetUpgrade
{
    public const int Target = 13;

    /// <summary>The first IR version that knows opset 13.</summary>
    private const int IrVersion = 7;

    /// <summary>Operators of opset 7 to 12 whose nodes are valid and mean the same in opset 13.</summary>
    private static readonly HashSet<string> Unchanged =
    [
        "Abs",
        "Add",
        "And",
        "AveragePool",
        "Cast",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Conv",
        "ConvTranspose",
        "DepthToSpace",
        "Div",
        "Elu",
        "Equal",
        "Erf",
        "Exp",
        "Expand",
        "Flatten",
        "Gather",
        "Gemm",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "Greater",
        "HardSigmoid",
        "Identity",
        "InstanceNormalization",
        "LRN",
        "LeakyRelu",
        "Less",
        "Log",
        "LpNormalization",
        "MatMul",
        "Max",
        "MaxPool",
        "Min",
        "Mul",
        "Neg",
        "Not",
        "PRelu",
        "Pow",
        "Reciprocal",
        "ReduceL2",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "Relu",
        "Reshape",
        "Selu",
        "Shape",
        "Sigmoid",
        "Softplus",
        "Sqrt",
        "Sub",
        "Sum",
        "Tanh",
        "Transpose",
        "Where",
    ];

    /// <exception cref="UsageException">An operator of the old opset is not rewritten here.</exception>
    public static void Apply(string file, ModelProto model, BackboneInput input)
    {
        var opset = model.DefaultOperators!;
        model.IrVersion = Math.Max(model.IrVersion, IrVersion);
        if (opset.Version >= Target)
            return;
        var from = (int)opset.Version;
        // Before the version changes, since a probe runs the graph.
        RewriteSoftmax(file, model, input);
        opset.Version = Target;
        var writer = new GraphWriter(model);
        foreach (var node in model.Graph.Node)
        {
            // Before opset 7 arithmetic broadcasts by an attribute, and BatchNormalization has is_test: nodes that look
            // alike mean something else.
            if (node.Domain is "" or "ai.onnx" && (from < 7 || !Rewrite(writer, node, from)))
                Throw.Usage(
                    $"{file}: is of opset {from}, and its operator {node.OpType} cannot be brought to opset {Target}, which int8 needs: "
                        + $"export the model with opset_version={Target}"
                );
        }
    }

    private static bool Rewrite(GraphWriter writer, NodeProto node, int from)
    {
        switch (node.OpType)
        {
            case "Squeeze" or "Unsqueeze" or "ReduceSum":
                ToInputs(writer, node, "axes");
                return true;
            case "Split":
                ToInputs(writer, node, "split");
                return true;
            case "Slice":
                // The order of the inputs; a missing list of axes means the first ones.
                ToInputs(writer, node, "starts", "ends", "axes");
                return true;
            // Clip takes its limits as inputs from opset 11 on, Pad too.
            case "Clip" when from < 11:
                FloatToInput(writer, node, "min");
                FloatToInput(writer, node, "max");
                return true;
            case "Clip":
                return true;
            case "Pad" when from < 11:
                ToInputs(writer, node, "pads");
                FloatToInput(writer, node, "value");
                return true;
            case "Pad":
                return true;
            case "Dropout":
                // Out of training it passes its input on; the ratio is an input from opset 12 on.
                if (node.Attribute("ratio") is { } ratio)
                    node.Attribute.Remove(ratio);
                return node.Output.Count == 1;
            case "BatchNormalization":
                // "spatial" was removed in opset 9; 1 is what it means since.
                if (node.Attribute("spatial") is { I: 1 } spatial)
                    node.Attribute.Remove(spatial);
                return node.Attribute("spatial") is null && node.Output.Count == 1;
            case "Softmax" or "LogSoftmax":
                // As RewriteSoftmax leaves them; the default was 1 and is -1.
                if (node.Attribute("axis") is null)
                    node.Attribute.Add(OnnxAttributes.Create("axis", 1L));
                return true;
            default:
                return Unchanged.Contains(node.OpType);
        }
    }

    /// <summary>
    /// Up to opset 12 Softmax takes all axes from the given one on for one. Where more than that one are longer than 1, they are made one
    /// before it and divided again behind it.
    /// </summary>
    private static void RewriteSoftmax(string file, ModelProto model, BackboneInput input)
    {
        var index = new GraphIndex(model.Graph, input.Name);
        // What does not depend on the photo is a constant by now; -1 always means the last axis alone.
        List<NodeProto> nodes =
        [
            .. model.Graph.Node.Where(n => n.OpType is "Softmax" or "LogSoftmax" && n.Int("axis", 1) != -1 && index.Depends(n.Input[0])),
        ];
        if (nodes.Count == 0)
            return;
        var shapes = ShapeProbe.Run(file, model, index, input with { Batch = 1 }, [.. nodes.Select(n => n.Input[0]).Distinct()]);
        var writer = new GraphWriter(model);
        foreach (var node in nodes)
        {
            var shape = shapes[node.Input[0]].Shape;
            var axis = (int)node.Int("axis", 1);
            axis = axis < 0 ? axis + shape.Length : axis;
            if (shape.Skip(axis + 1).All(d => d == 1))
                continue;
            var (given, made) = (node.Input[0], node.Output[0]);
            node.Input[0] = writer.Unique(given + "_flat");
            node.Output[0] = writer.Unique(made + "_flat");
            if (node.Attribute("axis") is { } attribute)
                node.Attribute.Remove(attribute);
            node.Attribute.Add(OnnxAttributes.Create("axis", 1L));
            var dims = writer.Unique(given + "_shape");
            var place = model.Graph.Node.IndexOf(node);
            model.Graph.Node.Insert(place + 1, New("Reshape", [node.Output[0], dims], made));
            model.Graph.Node.Insert(place, New("Shape", [given], dims));
            model.Graph.Node.Insert(place, New("Flatten", [given], node.Input[0], OnnxAttributes.Create("axis", (long)axis)));
        }

        NodeProto New(string op, string[] inputs, string output, params AttributeProto[] attributes) =>
            new()
            {
                OpType = op,
                Name = writer.Unique(op),
                Input = { inputs },
                Output = { output },
                Attribute = { attributes },
            };
    }

    private static void ToInputs(GraphWriter writer, NodeProto node, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            // An attribute that is left out becomes an input that is left out, which has the same default.
            if (node.Attribute(name) is not { } attribute)
                continue;
            node.Attribute.Remove(attribute);
            node.Input.Add(writer.Constant(name, [.. attribute.Ints], attribute.Ints.Count));
        }
    }

    private static void FloatToInput(GraphWriter writer, NodeProto node, string name)
    {
        if (node.Attribute(name) is not { } attribute)
        {
            if (name == "min")
                node.Input.Add("");
            return;
        }

        node.Attribute.Remove(attribute);
        node.Input.Add(writer.Constant(name, [attribute.F]));
    }
}
