using TransferPipeline.Onnx;

namespace TransferPipeline.Heads.Common;

/// <summary>What opset 11 brought, written with operators of opset 7: files of old exporters get heads too.</summary>
internal static class OldOperators
{
    // Numbers of TensorProto.DataType, which Cast takes as its attribute `to`.
    private const long Int64 = 7;
    private const long Double = 11;

    /// <summary>TopK with largest = 0, GatherElements, ScatterElements.</summary>
    public static bool Needed(IGraphWriter graph) => graph.Opset < 11;

    /// <summary>Inputs of a Gemm without a bias, which needs one before opset 11.</summary>
    public static string[] Factors(IGraphWriter graph, string left, string right, bool isDouble)
    {
        if (!Needed(graph))
            return [left, right];
        // IGraphWriter writes float32 and int64 constants only; a float64 one is a float32 constant behind a Cast.
        var zero = graph.Constant("zero", [0f], 1);
        return [left, right, isDouble ? graph.Node("Cast", [zero], ("to", Double)) : zero];
    }

    /// <summary>One more axis of the given length behind int64 indices: 1 at the index, else 0.</summary>
    /// <param name="type">ONNX's number of the result's type.</param>
    public static string OneHot(IGraphWriter graph, string indices, int axis, int length, long type)
    {
        // OneHot is of opset 9. Equal compares integers and broadcasts from opset 7 on, and does the same.
        var positions = graph.Constant("positions", [.. Enumerable.Range(0, length).Select(i => (long)i)], length);
        var column = graph.Node("Unsqueeze", [indices], ("axes", new long[] { axis }));
        return graph.Node("Cast", [graph.Node("Equal", [column, positions])], ("to", type));
    }

    /// <summary>
    /// Values and indices of the k smallest along the last axis of an N x M double tensor, ascending; of equal ones the first.
    /// </summary>
    public static (string Values, string Indices) Smallest(IGraphWriter graph, string values, int k)
    {
        // Negated, because TopK has no attribute `largest` before opset 11. Of equal values TopK puts the lower index
        // first, and so does this: equal values stay equal.
        var top = graph.Nodes("TopK", "", 2, [graph.Node("Neg", [values]), graph.Constant("k", [(long)k], 1)], ("axis", 1L));
        return (graph.Node("Neg", [top[0]]), top[1]);
    }

    /// <summary>Int64 values below 2^53 in ascending order along the last axis of an N x k tensor.</summary>
    // TopK takes integers from opset 11 on. Whole numbers below 2^53 are exact in float64, so
    // nothing is lost on the way.
    public static string Sort(IGraphWriter graph, string values, int k) =>
        graph.Node("Cast", [Smallest(graph, graph.Node("Cast", [values], ("to", Double)), k).Values], ("to", Int64));

    /// <summary>N x K doubles with <paramref name="value"/> (N x 1) in the place that an N x K mask of ones and zeros marks.</summary>
    public static string Replace(IGraphWriter graph, string values, string mask, string value)
    {
        // Where is of opset 9 and ScatterElements of opset 11; with a mask of ones and zeros, Mul and Add do the same.
        var others = graph.Node("Sub", [graph.Node("Cast", [graph.Constant("one", [1f], 1)], ("to", Double)), mask]);
        return graph.Node("Add", [graph.Node("Mul", [values, others]), graph.Node("Mul", [mask, value])]);
    }

    /// <summary>Float32 values, those below <paramref name="least"/> raised to it.</summary>
    /// <param name="hint">Name of the constant.</param>
    // Before opset 8 the inputs of Max must have one shape. Clip has its bounds as attributes there, and takes them as inputs later.
    public static string AtLeast(IGraphWriter graph, string values, float least, string hint) =>
        graph.Opset >= 8 ? graph.Node("Max", [values, graph.Constant(hint, [least], 1)]) : graph.Node("Clip", [values], ("min", least));

    /// <summary>The larger of two doubles.</summary>
    // Before opset 8 the inputs of Max must have one shape; Less and the operators of Where broadcast.
    public static string Max(IGraphWriter graph, string value, string least) =>
        graph.Opset >= 8 ? graph.Node("Max", [value, least]) : Where(graph, graph.Node("Less", [value, least]), least, value);

    /// <summary>Where the condition (bool) holds the first, else the second value; both finite doubles.</summary>
    public static string Where(IGraphWriter graph, string condition, string first, string second)
    {
        if (graph.Opset >= 9)
            return graph.Node("Where", [condition, first, second]);
        // A product with 0 removes the value that is not chosen. It would make NaN of an infinite one.
        var yes = graph.Node("Cast", [condition], ("to", Double));
        var no = graph.Node("Cast", [graph.Node("Not", [condition])], ("to", Double));
        return graph.Node("Add", [graph.Node("Mul", [yes, first]), graph.Node("Mul", [no, second])]);
    }
}
