using TransferPipeline.Onnx;
using TransferPipeline.TorchSharp.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

public sealed class SwishPatternTests
{
    [Fact]
    public void Fuse_MakesOneNodeOfTheProduct()
    {
        Assert.Equal(["MatMul", "Swish", "Flatten"], Fused((g, x) => g.Node("Mul", [x, g.Node("Sigmoid", [x])])));
        Assert.Equal(["MatMul", "Swish", "Flatten"], Fused((g, x) => g.Node("Mul", [g.Node("Sigmoid", [x]), x])));
        Assert.Equal(
            ["MatMul", "HardSwish", "Flatten"],
            Fused((g, x) => g.Node("Mul", [x, g.Node("HardSigmoid", [x], ("alpha", 1f / 6))]))
        );
    }

    /// <summary>A gate of something else, another slope, a gate that something else needs too, and one that the feature is.</summary>
    [Fact]
    public void Fuse_LeavesWhatIsNoSwish()
    {
        Assert.Contains("Sigmoid", Fused((g, x) => g.Node("Mul", [x, g.Node("Sigmoid", [g.Node("Relu", [x])])])));
        Assert.Contains("HardSigmoid", Fused((g, x) => g.Node("Mul", [x, g.Node("HardSigmoid", [x])])));
        Assert.Contains("Sigmoid", Fused((g, x) => Shared(g, x, "Add")));
        Assert.Contains("Sigmoid", Fused((g, x) => g.Node("Add", [x, g.Node("Sigmoid", [x])])));
        var model = Case((g, x) => g.Node("Mul", [x, g.Node("Sigmoid", [x])]));
        var gate = model.Graph.Node.First(n => n.OpType == "Sigmoid").Output[0];
        Assert.Contains("Sigmoid", SwishPattern.Fuse(model.Graph.Node, ["feature", gate]).Select(n => n.OpType));
    }

    private static string Shared(GraphWriter g, string x, string op)
    {
        var gate = g.Node("Sigmoid", [x]);
        return g.Node(op, [g.Node("Mul", [x, gate]), gate]);
    }

    private static IEnumerable<string> Fused(Func<GraphWriter, string, string> build) =>
        SwishPattern.Fuse(Case(build).Graph.Node, ["feature"]).Select(n => n.OpType);

    private static ModelProto Case(Func<GraphWriter, string, string> build) => new OperatorCase(17, [4, 6, 5], build).Create().Model;
}
