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

    /// <summary>As vit_b_16: a class token beside the patches, then positions, then the first block's normalization.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Find_TakesPositionsAndTheClassToken(bool isInParts)
    {
        var (model, g) = Graph();
        var (token, positions) = (g.Constant("token", new float[4], 1, 1, 4), g.Constant("positions", new float[20], 1, 5, 4));
        var tokens = g.Node("Concat", [Expanded(g, token), "x"], ("axis", 1L));
        var placed = g.Node("Add", [tokens, positions]);
        var dropped = g.Node("Dropout", [placed]);
        string[] weights = isInParts ? [] : [g.Constant("scale", new float[4], 4), g.Constant("bias", new float[4], 4)];
        var normed = isInParts ? InParts(g, dropped) : g.Node("LayerNormalization", [dropped, .. weights]);
        g.Node("Add", [normed, dropped]);
        Assert.Equal([token, positions, .. weights], Names(model));
    }

    /// <summary>As DINOv2 (positions of another photo size), CLIP (a token on zeros), and tables of each axis.</summary>
    [Fact]
    public void Find_TakesTablesThatAreMovedResizedAndAdded()
    {
        var (model, g) = Graph();
        var (token, first) = (g.Constant("token", new float[4], 4), g.Constant("first", new float[4], 1, 1, 4));
        var (grid, rows) = (g.Constant("grid", new float[36], 1, 9, 4), g.Constant("rows", new float[8], 2, 1, 4));
        var zeros = g.Node("ConstantOfShape", [g.Constant("shape", [2L, 1L, 4L], 3)]);
        var tokens = g.Node("Concat", [g.Node("Add", [token, zeros]), "x"], ("axis", -2L));
        var map = g.Node(
            "Transpose",
            [g.Node("Reshape", [grid, g.Constant("shape", [1L, 3L, 3L, 4L], 4)])],
            ("perm", new[] { 0L, 3L, 1L, 2L })
        );
        var resized = g.Node("Resize", [map, g.Constant("roi", [0f, 1f], 2), g.Constant("scales", [1f, 1f, 0.7f, 0.7f], 4)]);
        var flat = g.Node("Reshape", [g.Node("Add", [g.Node("Transpose", [resized]), rows]), g.Constant("shape", [1L, 4L, 4L], 3)]);
        var placed = g.Node("Add", [tokens, g.Node("Concat", [first, flat], ("axis", 1L))]);
        g.Node("Add", [InParts(g, placed), placed]);
        Assert.Equal([token, .. new[] { first, grid, rows }.Order()], Names(model).Take(1).Concat(Names(model).Skip(1).Order()));
    }

    /// <summary>As Swin: a table of relative positions, picked by indices, and a mask, both added to the scores.</summary>
    [Fact]
    public void Find_TellsBiasesOfAttentionFromMasks()
    {
        var (model, g) = Graph();
        var scores = g.Node("MatMul", ["x", "x"]);
        var table = g.Constant("table", [0.1f, -0.2f, 0.3f, 0.4f, 0.5f, -0.6f], 3, 2);
        var picked = g.Node("Gather", [table, g.Constant("places", [0L, 1L, 2L, 1L], 2, 2)], ("axis", 0L));
        var folded = g.Constant("folded", [0.1f, 0.2f, 0.3f, 0.1f], 1, 2, 2);
        var sum = g.Node("Add", [scores, g.Node("Transpose", [picked], ("perm", new[] { 2L, 0L, 1L }))]);
        sum = g.Node("Add", [folded, sum]);
        foreach (
            var mask in (float[][])
                [
                    [0, -100, 0, -100],
                    [1, 0, 0, 1],
                    [0, float.NegativeInfinity, -1, 1],
                    [-100, 0.1f, 0.2f, -99.7f],
                ]
        )
            sum = g.Node("Add", [g.Node("Reshape", [sum, g.Constant("shape", [1L, 2L, 2L], 3)]), g.Constant("mask", mask, 1, 2, 2)]);
        g.Node("MatMul", [g.Node("Softmax", [sum]), "x"]);
        Assert.Equal([table, folded], Names(model));
    }

    /// <summary>Coordinates beside the channels of a map, scores that are scaled, and indices are no tables.</summary>
    [Fact]
    public void Find_PassesOverWhatOnlyResemblesTables()
    {
        var (model, g) = Graph();
        var coordinates = g.Node("Concat", ["x", g.Constant("coordinates", new float[18], 1, 2, 3, 3)], ("axis", 1L));
        var gates = g.Node("Concat", ["x", g.Constant("channels", new float[6], 1, 1, 6)], ("axis", 2L));
        var root = g.Node("Sqrt", [g.Constant("size", [64f])]);
        var shifted = g.Node("Div", [g.Node("Add", ["x", g.Constant("shift", new float[8], 2, 4)]), root]);
        var product = g.Node("MatMul", [g.Node("Add", ["x", g.Constant("query", new float[8], 2, 4)]), "x"]);
        foreach (var made in new[] { coordinates, gates, shifted, product })
            InParts(g, g.Node("Relu", [made]));
        Assert.Empty(Names(model));
    }

    /// <summary>A normalization over the last axis as exporters wrote it before opset 17.</summary>
    private static string InParts(GraphWriter g, string x)
    {
        var centered = g.Node("Sub", [x, g.Node("ReduceMean", [x], ("axes", new[] { -1L }))]);
        var variance = g.Node("ReduceMean", [g.Node("Pow", [centered, g.Constant("two", [2f])])], ("axes", new[] { -1L }));
        return g.Node("Div", [centered, g.Node("Sqrt", [variance])]);
    }

    /// <summary>Repeated for each photo.</summary>
    private static string Expanded(GraphWriter g, string token)
    {
        var photos = g.Node("Gather", [g.Node("Shape", ["x"]), g.Constant("first", [0L], 1)], ("axis", 0L));
        return g.Node("Expand", [token, g.Node("Concat", [photos, g.Constant("ones", [1L, 1L], 2)], ("axis", 0L))]);
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
