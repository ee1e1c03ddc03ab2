using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>
/// Recognizes a number per photo that is reduced from a vector: the maximum and the sum of a softmax, the length of a normalization.
/// </summary>
internal static class Reduction
{
    /// <summary>Nodes that may lie on one side of the reduction.</summary>
    private const int MaxSteps = 12;

    /// <returns>The operator that reduces <paramref name="vector"/> to <paramref name="number"/> (ReduceL2 also where it is written as the
    /// root of a sum of squares); null when it is no reduction.</returns>
    public static string? Of(GraphIndex index, string number, string vector)
    {
        // From the number back to the reduction over operators that keep one number per photo; rooted notes a square root on the way.
        var rooted = false;
        var tensor = number;
        for (var step = 0; step < MaxSteps && index.Producer(tensor) is { } node; step++)
        {
            switch (node.OpType)
            {
                case "ReduceMax" or "ReduceMean" or "ReduceLogSumExp" or "ReduceL1" or "ReduceL2" or "ReduceSum" or "ReduceSumSquare":
                    var squared = Leads(index, node.Input[0], vector);
                    return squared is null ? null
                        // sqrt(sum(x x)) is a length, whether written as ReduceL2, ReduceSumSquare or ReduceSum of squares.
                        : node.OpType is "ReduceL2"
                        || rooted && (node.OpType == "ReduceSumSquare" || node.OpType == "ReduceSum" && squared == true)
                            ? "ReduceL2"
                        : node.OpType == "ReduceSumSquare" || squared == true ? null
                        : node.OpType;
                case "Sqrt":
                    rooted = true;
                    tensor = node.Input[0];
                    break;
                // x^-0.5 is the root of a reciprocal, by which a normalization multiplies.
                case "Pow" when Constant(index, node.Input[1]) is 0.5f or -0.5f:
                    rooted = true;
                    tensor = node.Input[0];
                    break;
                case "Div" when !index.Depends(node.Input[0]):
                    tensor = node.Input[1];
                    break;
                case "Log" or "Reciprocal" or "Clip" or "Expand" or "Identity" or "Cast" or "Unsqueeze" or "Reshape" or "Tile" or "Abs":
                    tensor = node.Input[0];
                    break;
                case "Add" or "Max" or "Mul" or "Div" when node.Input.Where(index.Depends).ToList() is [var only]:
                    tensor = only;
                    break;
                default:
                    return null;
            }
        }

        return null;
    }

    /// <summary>
    /// True when the vector's squares are reduced, false when it (or its exponential, or absolute values) is; null when something else is.
    /// </summary>
    private static bool? Leads(GraphIndex index, string tensor, string vector)
    {
        var squared = false;
        for (var step = 0; step < MaxSteps; step++)
        {
            if (tensor == vector)
                return squared;
            switch (index.Producer(tensor))
            {
                case { OpType: "Mul" } node when node.Input[0] == node.Input[1]:
                case { OpType: "Pow" } power when Constant(index, power.Input[1]) == 2f:
                    squared = true;
                    break;
                case { OpType: "Exp" or "Abs" or "Identity" or "Cast" }:
                    break;
                default:
                    return null;
            }

            tensor = index.Producer(tensor)!.Input[0];
        }

        return null;
    }

    private static float? Constant(GraphIndex index, string tensor) =>
        index.Constant(tensor) is { } constant && TensorData.Count(constant) == 1 ? (float)TensorData.Numbers(constant)[0] : null;
}
