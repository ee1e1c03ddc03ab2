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
            "RandomNormal" or "RandomNormalLike" or "RandomUniform" or "RandomUniformLike" or "Multinomial" or "Bernoulli" => true,
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
