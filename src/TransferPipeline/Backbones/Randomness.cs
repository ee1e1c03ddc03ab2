using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>
/// Refuses networks that give a photo another vector each time, or one that depends on the rest of its batch: those exported in training
/// mode.
/// </summary>
internal static class Randomness
{
    private const string Cure =
        "exported in training mode? Export it again after model.eval() (in PyTorch with training=TrainingMode.EVAL), or cut before it";

    /// <exception cref="BadInputException">The part up to the cut has a random layer, or one that takes the statistics of its
    /// batch.</exception>
    public static void Refuse(string file, ModelProto cut)
    {
        var index = new GraphIndex(cut.Graph, cut.Graph.Input[0].Name);
        foreach (var node in GraphIndex.AllNodes(cut.Graph))
        {
            if (IsRandom(index, node))
                Throw.BadInput(
                    $"{file}: the layer '{Name(node)}' ({node.OpType}) is random, so that a photo's vector would differ from run to "
                        + $"run; {Cure}"
                );
            if (
                node.OpType == "BatchNormalization"
                // BatchNormalization got training_mode in opset 14; from opset 7 on further outputs mean training.
                && (cut.Opset >= 14 ? node.Int("training_mode", 0) != 0 : cut.Opset >= 7 && node.Output.Skip(1).Any(o => o.Length > 0))
            )
                Throw.BadInput(
                    $"{file}: the layer '{Name(node)}' ({node.OpType}) takes the statistics of its batch, so that a photo's vector "
                        + $"would depend on the other photos; {Cure}"
                );
        }
    }

    /// <summary>
    /// Writes zeros in the place of random numbers that are all 0 or are multiplied by zeros alone, as noise that was switched off.
    /// </summary>
    public static void DropUnused(ModelProto cut)
    {
        var index = new GraphIndex(cut.Graph, cut.Graph.Input[0].Name);
        foreach (var node in cut.Graph.Node.Where(n => IsDrawn(n) && n.Output.Count == 1).ToList())
        {
            if (IsZero(node))
            {
                MakeConstant(cut, node, (int)node.Int("dtype", (long)TensorProto.Types.DataType.Float));
                continue;
            }

            var users = cut.Graph.Node.Where(n => GraphIndex.Inputs(n).Contains(node.Output[0])).ToList();
            var factors = users
                .Select(u => u is { OpType: "Mul", Input.Count: 2 } ? index.Constant(u.Input[u.Input[0] == node.Output[0] ? 1 : 0]) : null)
                .ToList();
            if (
                factors.Count > 0
                && factors.TrueForAll(f => f is not null && TensorData.Numbers(f) is { Length: > 0 } numbers && numbers.All(v => v == 0))
            )
                MakeConstant(cut, node, factors[0]!.DataType);
        }
    }

    /// <summary>
    /// Writes a constant in the place of all random numbers, for runs that show shapes alone: ONNX Runtime ends the process where the
    /// limits or the deviation of a distribution are none.
    /// </summary>
    public static void MakeConstant(ModelProto model)
    {
        foreach (var node in model.Graph.Node.Where(IsDrawn).ToList())
            MakeConstant(model, node, (int)node.Int("dtype", 0));
    }

    /// <param name="type">0 for that of the node's input, or float without one.</param>
    private static void MakeConstant(ModelProto model, NodeProto node, int type)
    {
        var hasInput = node.Input.Count > 0;
        if (hasInput && type == 0)
        {
            (node.OpType, node.Domain) = ("Identity", "");
            node.Attribute.Clear();
            return;
        }

        var graph = new GraphWriter(model);
        // ConstantOfShape came with opset 9.
        if (graph.Opset < 9)
            return;
        string shape;
        if (hasInput)
        {
            shape = graph.Unique(node.Output[0] + "_shape");
            model.Graph.Node.Insert(
                model.Graph.Node.IndexOf(node),
                new()
                {
                    OpType = "Shape",
                    Name = shape,
                    Input = { node.Input[0] },
                    Output = { shape },
                }
            );
        }
        else
        {
            var dims = node.Ints("shape") ?? [];
            shape = graph.Constant("random_shape", dims, dims.Length);
        }

        node.OpType = "ConstantOfShape";
        node.Input.Clear();
        node.Input.Add(shape);
        node.Attribute.Clear();
        var zero = TensorData.Of("", [0f], [1]);
        if (type != 0)
            zero = new()
            {
                DataType = type,
                Dims = { 1 },
                RawData = Google.Protobuf.ByteString.CopyFrom(
                    new byte[TensorData.Bytes(new() { DataType = type, Dims = { 1 } }) ?? sizeof(float)]
                ),
            };
        node.Attribute.Add(OnnxAttributes.Create("value", zero));
    }

    private static bool IsDrawn(NodeProto node) =>
        node.OpType is "RandomNormal" or "RandomNormalLike" or "RandomUniform" or "RandomUniformLike" or "Bernoulli";

    private static bool IsZero(NodeProto node) =>
        node.OpType switch
        {
            "RandomNormal" or "RandomNormalLike" => node.Attribute("scale")?.F == 0 && (node.Attribute("mean")?.F ?? 0) == 0,
            "RandomUniform" or "RandomUniformLike" => node.Attribute("low")?.F is null or 0 && node.Attribute("high")?.F == 0,
            _ => false,
        };

    /// <summary>The message for a network whose two runs on one photo differ.</summary>
    /// <param name="difference">The largest, relative to the largest value.</param>
    public static string Differs(string file, float difference) =>
        FormattableString.Invariant(
            $"{file}: one photo twice gives two vectors (they differ by {difference:0.#e-0} of the largest value); {Cure}"
        );

    /// <summary>A layer whose result differs from run to run.</summary>
    public static bool IsRandom(GraphIndex index, NodeProto node) =>
        node.OpType switch
        {
            "Multinomial" => true,
            _ when IsDrawn(node) => true,
            // Up to opset 11 Dropout is never active in inference; then its third input states it.
            "Dropout" => node.Input.Count > 2
                && node.Input[2].Length > 0
                && index.Constant(node.Input[2]) is { } training
                && TensorData.Numbers(training) is [not 0]
                && !(node.Input[1].Length > 0 && index.Constant(node.Input[1]) is { } ratio && TensorData.Numbers(ratio) is [0]),
            _ => false,
        };

    private static string Name(NodeProto node) => node.Name.Length > 0 ? node.Name : node.Output[0];
}
