using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tuning;

/// <content>
/// Tables and tokens of transformers: positions that are added to the tokens, tokens that are put beside those of the photo, and biases of
/// attention. What they are follows from where their sum goes: to a normalization, or to the Softmax of attention.
/// </content>
internal sealed partial class TrainableWeights
{
    /// <summary>A mask takes places out of a Softmax by a large negative number (Swin's is -100); no bias is learnt that far.</summary>
    private const float MaskedOut = -50;

    private readonly Dictionary<string, List<NodeProto>> _users = new(StringComparer.Ordinal);

    /// <summary>The tables of an Add to what depends on the photo.</summary>
    private void AddTables(NodeProto sum)
    {
        for (var i = 0; i < 2; i++)
        {
            if (!_dependent.Contains(sum.Input[1 - i]) || Tables(sum.Input[i]) is not { } tables)
                continue;
            // With one axis it would be a bias, which belongs to a layer.
            var wide = tables.Where(t => t.Value.Dims.Count(d => d > 1) > 1).ToList();
            if (wide.Count > 0 && Reaches(sum.Output[0], TakesNormalized))
                Keep(tables);
            else if (wide.Count > 0 && Reaches(sum.Output[0], (n, _) => n.OpType == "Softmax"))
                Keep(wide.Where(t => IsBias(t.Value)));
        }
    }

    /// <summary>The tokens that a Concat puts beside those of the photo: N x tokens x D, or tokens x N x D.</summary>
    private void AddTokens(NodeProto concat)
    {
        foreach (var input in concat.Input.Where(i => !_dependent.Contains(i)))
        {
            // More axes are those of a map, whose constants beside it are coordinates. On the last axis they would be channels.
            if (
                concat.Int("axis", 0) is 0 or 1 or -2 or -3
                && Tables(input) is { } tokens
                && tokens.All(t => t.Value.Dims.Count <= 3 && t.Value.Dims[^1] > 1)
                && Reaches(concat.Output[0], TakesNormalized)
            )
                Keep(tokens);
        }
    }

    private void Keep(IEnumerable<KeyValuePair<string, TensorProto>> tables)
    {
        foreach (var (name, table) in tables)
            _found.TryAdd(name, new(name, [.. table.Dims], IsStatistic: false) { IsTable = true });
    }

    /// <summary>
    /// The float constants that a tensor is made of by moving, repeating, picking, resizing and adding alone; null when there are none,
    /// or when it is made otherwise.
    /// </summary>
    private Dictionary<string, TensorProto>? Tables(string tensor)
    {
        var found = new Dictionary<string, TensorProto>(StringComparer.Ordinal);
        var open = new Stack<string>([tensor]);
        while (open.TryPop(out var name))
        {
            if (_dependent.Contains(name))
                return null;
            if (Constant(name) is { } constant)
            {
                // Integers are indices and shapes.
                if (constant.DataType != (int)DataType.Float)
                    return null;
                // A number without axes or with one value moves nothing apart.
                if (constant.Dims.Any(d => d > 1))
                    found[name] = constant;
                continue;
            }

            if (_producers.GetValueOrDefault(name) is not { } node)
                return null;
            switch (node.OpType)
            {
                case "Add" or "Concat":
                    foreach (var input in node.Input)
                        open.Push(input);
                    break;
                // Zeros of the batch's size, as CLIP adds its class token to.
                case "ConstantOfShape":
                    break;
                case "Expand" or "Tile" or "Slice" or "Gather" or "Resize" or "Split":
                case var op when Movers.Contains(op) && op != "Cast":
                    // The other inputs are shapes, indices and scales.
                    open.Push(node.Input[0]);
                    break;
                default:
                    return null;
            }
        }

        return found.Count > 0 ? found : null;
    }

    /// <summary>
    /// Whether a tensor, as it is or through moves and sums, comes to a node. Products, activations and all else end the way.
    /// </summary>
    private bool Reaches(string tensor, Func<NodeProto, string, bool> isGoal)
    {
        var (open, seen) = (new Queue<string>([tensor]), new HashSet<string>([tensor], StringComparer.Ordinal));
        while (open.TryDequeue(out var name))
        {
            foreach (var user in _users.GetValueOrDefault(name) ?? [])
            {
                if (isGoal(user, name))
                    return true;
                if (user.OpType is "Add" or "Concat" or "Slice" or "Gather" || Movers.Contains(user.OpType))
                {
                    foreach (var output in user.Output.Where(seen.Add))
                        open.Enqueue(output);
                }
            }
        }

        return false;
    }

    /// <summary>The node normalizes the tensor, or is the first step of that: x - mean(x), or x / sqrt(mean(x^2)).</summary>
    private bool TakesNormalized(NodeProto node, string tensor) =>
        node.OpType switch
        {
            "LayerNormalization" or "RMSNormalization" => node.Input[0] == tensor,
            "Sub" => node.Input[0] == tensor
                && _producers.GetValueOrDefault(node.Input[1]) is { OpType: "ReduceMean" } mean
                && mean.Input[0] == tensor,
            // Scores are divided by the root of a constant.
            "Div" or "Mul" => IsNormalization(node) && node.Input.All(_dependent.Contains),
            _ => false,
        };

    /// <summary>A learnt bias of attention and surely no mask: many values, and none that takes a place out.</summary>
    private static bool IsBias(TensorProto table)
    {
        var values = TensorData.Floats(table);
        // Two values are those of a mask: seen and not seen.
        return Array.TrueForAll(values, v => v > MaskedOut && v < -MaskedOut) && values.Distinct().Take(3).Count() == 3;
    }
}
