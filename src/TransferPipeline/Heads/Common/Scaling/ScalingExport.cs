using TransferPipeline.Onnx;

namespace TransferPipeline.Heads.Common;

/// <summary>Writes a scaling as standard operators, for heads that do not fold it into their weights.</summary>
internal static class ScalingExport
{
    /// <summary>Where a vector of length zero would be divided by zero.</summary>
    private const float SmallestLength = 1e-30f;

    /// <returns>N x D scaled vectors, in float32 as in training.</returns>
    public static string Write(IGraphWriter graph, string features, FeatureScaling scaling)
    {
        switch (scaling.Kind)
        {
            case ScalingKind.Standard:
                var centred = graph.Node("Sub", [features, graph.Constant("scaling.mean", scaling.Mean, scaling.Mean.Length)]);
                return graph.Node("Div", [centred, graph.Constant("scaling.deviation", scaling.Scale, scaling.Scale.Length)]);
            case ScalingKind.L2:
                var squares = graph.Node("Mul", [features, features]);
                var sums = graph.Node("ReduceSum", [squares, graph.Constant("scaling.axis", [1L], 1)], ("keepdims", 1L));
                var lengths = OldOperators.AtLeast(graph, graph.Node("Sqrt", [sums]), SmallestLength, "scaling.smallest");
                return graph.Node("Div", [features, lengths]);
            default:
                return features;
        }
    }
}
