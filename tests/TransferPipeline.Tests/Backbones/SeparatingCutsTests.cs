using TransferPipeline.Backbones;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Where networks of several families are divided for training.</summary>
public sealed class SeparatingCutsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("efficientnet-lite0.onnx", "/_blocks.10/Add_output_0", "/_blocks.13/Add_output_0")]
    [InlineData("efficientnet-lite2.onnx", "/_blocks.14/Add_output_0", "/_blocks.18/Add_output_0")]
    public void Names_OfEfficientNet_AreTheLastLargerMapAndTheLastResidualBlock(string model, string stage, string block)
    {
        var cuts = Cuts(SharedData.RequireModel(model));
        Assert.Equal((stage, block), (cuts.Resolve("last-stage"), cuts.Resolve("last-block")));
        Assert.Equal(("last-stage", "last-block"), (cuts.Alias(stage), cuts.Alias(block)));
        Assert.Equal("input", cuts.Resolve("all"));
    }

    /// <summary>As VGG: the map is made smaller by a pooling, which leaves fewer values than the layer before it.</summary>
    [Fact]
    public void Stage_BeforeAPooling_IsWhatThePoolingLeaves()
    {
        var m = new SmallModel();
        var large = Relu(m, Conv(m, m.Input, 3, 6));
        var pooled = m.Node("MaxPool", [large], ("kernel_shape", new long[] { 2, 2 }), ("strides", new long[] { 2, 2 }));
        var last = Relu(m, Conv(m, pooled, 6, 8));
        var cuts = Finish(m, last);
        Assert.Equal((pooled, pooled), (cuts.Resolve("last-stage"), cuts.Resolve("last-block")));
    }

    /// <summary>As ResNet: two sums on the smaller map.</summary>
    [Fact]
    public void Names_OfAResidualNetwork_AreTheInputsOfStageAndBlock()
    {
        var m = new SmallModel();
        var stem = m.ConvRelu(m.Input, 3, 8);
        var narrow = Relu(m, m.Node("Add", Conv(m, stem, 8, 8), stem));
        var down = m.ConvRelu(narrow, 8, 8);
        var first = Relu(m, m.Node("Add", Conv(m, down, 8, 8), down));
        var second = Relu(m, m.Node("Add", Conv(m, Relu(m, Conv(m, first, 8, 8)), 8, 8), first));
        var cuts = Finish(m, second);
        Assert.Equal((narrow, first), (cuts.Resolve("last-stage"), cuts.Resolve("last-block")));
    }

    /// <summary>As ViT: tokens of one size throughout; the last stage is the last quarter of the residual blocks.</summary>
    [Fact]
    public void Stage_OfTokensOfOneSize_IsTheLastQuarterOfTheBlocks()
    {
        var m = new SmallModel();
        var map = Conv(m, m.Input, 3, 8);
        var tokens = m.Node("Transpose", [m.Node("Reshape", map, m.Shape(0, 8, -1))], ("perm", new long[] { 0, 2, 1 }));
        var blocks = new List<string> { tokens };
        for (var i = 0; i < 8; i++)
            blocks.Add(m.Node("Add", m.Node("MatMul", blocks[^1], m.Weights(0.2f, 8, 8)), blocks[^1]));
        var mean = m.Node("ReduceMean", [blocks[^1]], ("axes", new long[] { 1 }), ("keepdims", 0L));
        m.Output(m.Gemm(mean, 8, SmallModel.Classes));
        var cuts = Cuts(m.Save(_folder));
        Assert.Equal((blocks[6], blocks[7]), (cuts.Resolve("last-stage"), cuts.Resolve("last-block")));
    }

    [Fact]
    public void Resolve_TensorThatOthersPassBy_NamesTheNearestThatSeparates()
    {
        var m = new SmallModel();
        var stem = m.ConvRelu(m.Input, 3, 8);
        var inside = Conv(m, stem, 8, 8);
        var cuts = Finish(m, m.Node("Add", inside, stem));
        var error = Assert.Throws<UsageException>(() => cuts.Resolve(inside));
        Assert.Contains($"'{inside}' does not separate", error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{stem}'", error.Message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => cuts.Resolve("no-such-tensor"));
    }

    /// <summary>What lies above and below adds up to the whole at every cut, and a cut nearer to the image leaves more above it.</summary>
    [Fact]
    public void Candidates_OfEfficientNet_DivideParametersAndCost()
    {
        var backbone = Backbone.Open(SharedData.RequireModel("efficientnet-lite0.onnx"));
        var (summary, cuts) = (backbone.Summarize(), backbone.Candidates());
        Assert.All(cuts, c => Assert.Equal(summary.MultiplyAddsToCut, c.MultiplyAddsBelow + c.MultiplyAddsAbove));
        Assert.Equal(cuts.Select(c => c.ParametersAbove).Order(), cuts.Select(c => c.ParametersAbove));
        Assert.Equal(21_952, cuts.Single(c => c.TuningAlias == "last-stage").Length);
    }

    private SeparatingCuts Finish(SmallModel m, string map)
    {
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", map)), 8, SmallModel.Classes));
        return Cuts(m.Save(_folder));
    }

    private static SeparatingCuts Cuts(string file)
    {
        var backbone = Backbone.Open(file);
        return backbone.TuningCuts(backbone.Penultimate!);
    }

    private static string Conv(SmallModel m, string x, int from, int to) =>
        m.Node("Conv", [x, m.Weights(0.3f, to, from, 3, 3)], ("pads", new long[] { 1, 1, 1, 1 }));

    private static string Relu(SmallModel m, string x) => m.Node("Relu", x);
}
