using TransferPipeline.Onnx;

namespace TransferPipeline.Heads;

/// <summary>What opset 11 brought, written with operators of opset 7: files of old exporters get heads too.</summary>
internal static class OldOperators
{
    private const long Int64 = 7;
    private const long Double = 11;

    /// <summary>TopK with largest = 0, GatherElements, ScatterElements.</summary>
    public static bool Needed(IGraphWriter graph) => graph.Opset < 11;

    /// <summary>Inputs of a Gemm without a bias, which needs one before opset 11.</summary>
    public static string[] Factors(IGraphWriter graph, string left, string right, bool isDouble)
    {
        if (!Needed(graph))
            return [left, right];
        var zero = graph.Constant("zero", [0f], 1);
        return [left, right, isDouble ? graph.Node("Cast", [zero], ("to", Double)) : zero];
    }

    /// <summary>One more axis of the given length behind int64 indices: 1 at the index, else 0.</summary>
    /// <param name="type">ONNX's number of the result's type.</param>
    public static string OneHot(IGraphWriter graph, string indices, int axis, int length, long type)
    {
        var positions = graph.Constant("positions", [.. Enumerable.Range(0, length).Select(i => (long)i)], length);
        var column = graph.Node("Unsqueeze", [indices], ("axes", new long[] { axis }));
        return graph.Node("Cast", [graph.Node("Equal", [column, positions])], ("to", type));
    }

    /// <summary>
    /// Values and indices of the k smallest along the last axis of an N x M double tensor, ascending; of equal ones the first.
    /// </summary>
    public static (string Values, string Indices) Smallest(IGraphWriter graph, string values, int k)
    {
        var top = graph.Nodes("TopK", "", 2, [graph.Node("Neg", [values]), graph.Constant("k", [(long)k], 1)], ("axis", 1L));
        return (graph.Node("Neg", [top[0]]), top[1]);
    }

    /// <summary>Int64 values below 2^53 in ascending order along the last axis of an N x k tensor.</summary>
    public static string Sort(IGraphWriter graph, string values, int k) =>
        graph.Node("Cast", [Smallest(graph, graph.Node("Cast", [values], ("to", Double)), k).Values], ("to", Int64));

    /// <summary>N x K doubles with <paramref name="value"/> (N x 1) in the place that an N x K mask of ones and zeros marks.</summary>
    public static string Replace(IGraphWriter graph, string values, string mask, string value)
    {
        var others = graph.Node("Sub", [graph.Node("Cast", [graph.Constant("one", [1f], 1)], ("to", Double)), mask]);
        return graph.Node("Add", [graph.Node("Mul", [values, others]), graph.Node("Mul", [mask, value])]);
    }

    /// <summary>The larger of two doubles.</summary>
    public static string Max(IGraphWriter graph, string value, string least) =>
        graph.Opset >= 8 ? graph.Node("Max", [value, least]) : Where(graph, graph.Node("Less", [value, least]), least, value);

    /// <summary>Where the condition (bool) holds the first, else the second value; both finite doubles.</summary>
    public static string Where(IGraphWriter graph, string condition, string first, string second)
    {
        if (graph.Opset >= 9)
            return graph.Node("Where", [condition, first, second]);
        var yes = graph.Node("Cast", [condition], ("to", Double));
        var no = graph.Node("Cast", [graph.Node("Not", [condition])], ("to", Double));
        return graph.Node("Add", [graph.Node("Mul", [yes, first]), graph.Node("Mul", [no, second])]);
    }
}
