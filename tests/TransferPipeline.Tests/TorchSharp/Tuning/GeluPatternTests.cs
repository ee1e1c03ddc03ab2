using TransferPipeline.Onnx;
using TransferPipeline.TorchSharp.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

public sealed class GeluPatternTests
{
    [Fact]
    public void Fuse_MakesOneNodeOfTheParts()
    {
        Assert.Equal(["MatMul", "Gelu", "Flatten"], Fused(OperatorCases.InParts));
    }

    /// <summary>Another factor, and a part that something else needs too.</summary>
    [Fact]
    public void Fuse_LeavesWhatIsNoGelu()
    {
        Assert.Contains("Erf", Fused((g, x) => g.Node("Add", [g.Node("Erf", [g.Node("Div", [x, g.Constant("root", [1.4142135f])])]), x])));
        Assert.Contains(
            "Erf",
            Fused(
                (g, x) =>
                {
                    var sum = g.Node("Add", [g.Node("Erf", [g.Node("Div", [x, g.Constant("root", [1.5f])])]), g.Constant("one", [1f])]);
                    return g.Node("Mul", [g.Node("Mul", [x, sum]), g.Constant("half", [0.5f])]);
                }
            )
        );
        Assert.Contains(
            "Erf",
            Fused(
                (g, x) =>
                {
                    var erf = g.Node("Erf", [g.Node("Div", [x, g.Constant("root", [1.4142135f])])]);
                    var sum = g.Node("Add", [erf, g.Constant("one", [1f])]);
                    return g.Node("Add", [g.Node("Mul", [g.Node("Mul", [x, sum]), g.Constant("half", [0.5f])]), erf]);
                }
            )
        );
    }

    private static IEnumerable<string> Fused(Func<GraphWriter, string, string> build)
    {
        var model = new OperatorCase(17, [4, 6, 5], build).Create().Model;
        return GeluPattern.Fuse(model.Graph.Node, new GraphIndex(model.Graph, "cut"), ["feature"]).Select(n => n.OpType);
    }
}
