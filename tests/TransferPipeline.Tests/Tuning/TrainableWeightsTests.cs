using TransferPipeline.Onnx;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.Tuning;

public sealed class TrainableWeightsTests
{
    /// <summary>The exporter stores equal weights once; the second normalization trains its own copy.</summary>
    [Fact]
    public void Find_UntiesWhatAnIdentityCopies()
    {
        var (model, g) = Graph();
        var scale = g.Constant("scale", [1f, 1f, 1f], 3);
        var bias = g.Constant("bias", [0f, 0f, 0f], 3);
        var (scaleCopy, biasCopy) = (g.Node("Identity", [scale]), g.Node("Identity", [bias]));
        g.Node("LayerNormalization", [g.Node("LayerNormalization", ["x", scale, bias]), scaleCopy, biasCopy]);
        Assert.Equal([scale, bias, scaleCopy, biasCopy], Names(model));
    }

    [Fact]
    public void Find_PassesOverMasksTablesAndFactors()
    {
        var (model, g) = Graph();
        var weights = g.Constant("weights", new float[9], 3, 3);
        var product = g.Node("MatMul", ["x", weights]);
        var scaled = g.Node("Mul", [product, g.Constant("factor", [0.5f])]);
        var masked = g.Node("Add", [scaled, g.Constant("mask", new float[6], 1, 2, 3)]);
        var placed = g.Node("Add", ["x", g.Constant("positions", new float[3], 3)]);
        g.Node("Add", [g.Node("Softmax", [masked]), placed]);
        Assert.Equal([weights], Names(model));
    }

    [Fact]
    public void Find_TakesTheBiasBehindAProductAndTheScaleBehindANormalizationInParts()
    {
        var (model, g) = Graph();
        var (weights, bias) = (g.Constant("weights", new float[9], 3, 3), g.Constant("bias", new float[3], 3));
        var (gamma, beta) = (g.Constant("gamma", new float[3], 3, 1, 1), g.Constant("beta", new float[3], 3));
        var linear = g.Node("Add", [bias, g.Node("MatMul", ["x", weights])]);
        var turned = g.Node("Transpose", [linear], ("perm", new[] { 0L, 2L, 1L }));
        var scaled = g.Node("Mul", [g.Node("Unsqueeze", [turned], ("axes", new[] { 3L })), gamma]);
        var root = g.Node("Sqrt", [g.Node("ReduceMean", [scaled], ("axes", new[] { 1L }))]);
        g.Node("Add", [g.Node("Div", [scaled, root]), beta]);
        Assert.Equal([weights, bias, gamma, beta], Names(model));
    }

    [Fact]
    public void Find_TellsStatisticsFromWeights()
    {
        var (model, g) = Graph();
        string[] names = [.. new[] { "scale", "bias", "mean", "variance" }.Select(n => g.Constant(n, [1f, 1f, 1f], 3))];
        g.Node("BatchNormalization", ["x", .. names]);
        Assert.Equal(
            [(names[0], false), (names[1], false), (names[2], true), (names[3], true)],
            Find(model).Select(p => (p.Name, p.IsStatistic))
        );
    }

    private static (ModelProto Model, GraphWriter Writer) Graph()
    {
        var model = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "g" },
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        model.Graph.Input.Add(new ValueInfoProto { Name = "x" });
        return (model, new GraphWriter(model));
    }

    private static IReadOnlyList<TunedParameter> Find(ModelProto model) => TrainableWeights.Find(model.Graph, ["x"]);

    private static IEnumerable<string> Names(ModelProto model) => Find(model).Select(p => p.Name);
}
