using TransferPipeline.Backbones;
using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.Backbones;

/// <summary>A last layer over a map or tokens: a segmentation is no classifier, and an average of such scores is one.</summary>
public sealed class PositionsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("scores of a map", "(1 x 7 x 3 x 3, a map)")]
    [InlineData("softmax over a map", "(1 x 7 x 3 x 3, a map)")]
    [InlineData("scores of a map as tokens", "(1 x 9 x 7, tokens)")]
    [InlineData("scores of tokens", "(1 x 9 x 7, tokens)")]
    [InlineData("scores of tokens by Einsum", "(1 x 9 x 7, tokens)")]
    public void Cut_ScoresOfPositions_AreNoClassifier(string form, string output)
    {
        var m = new SmallModel();
        var map = m.Body(m.Input);
        var weights = m.Weights(1, SmallModel.Classes, 8, 1, 1);
        var made = form switch
        {
            "scores of a map" => m.Node("Conv", map, weights),
            "softmax over a map" => m.Node("Softmax", [m.Node("Conv", map, weights)], ("axis", 1L)),
            "scores of a map as tokens" => m.Node(
                "Transpose",
                [m.Node("Reshape", m.Node("Conv", map, weights), m.Shape(0, 7, -1))],
                ("perm", new long[] { 0, 2, 1 })
            ),
            "scores of tokens" => m.Node("Add", m.Node("MatMul", Tokens(m, map), m.Weights(1, 8, 7)), m.Weights(1, 7)),
            _ => m.Node("Einsum", [Tokens(m, map), m.Weights(1, 8, 7)], ("equation", "ntd,dc->ntc")),
        };
        // Sizes are open, as with dynamic axes.
        m.Model.Graph.Output.Add(new ValueInfoProto { Name = made });
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.False(backbone.HasClassifier);
        var error = Assert.Throws<UsageException>(() => backbone.Cut());
        Assert.Contains("no classifier (its last layer makes scores of each position", error.Message);
        Assert.Contains($"'{made}' {output}", error.Message);
        Assert.Equal(7 * 9, backbone.Cut(new CutRequest(made, Pooling.None)).Outputs[0].Dimension);
    }

    [Theory]
    [InlineData("convolution behind an average over the whole map", "AveragePool")]
    [InlineData("product behind the choice of a token", "Gather")]
    [InlineData("product behind a reshape to one row", "Reshape")]
    public void Cut_OnePosition_IsAClassifier(string form, string feature)
    {
        var m = new SmallModel();
        var map = m.Body(m.Input);
        var made = form switch
        {
            "convolution behind an average over the whole map" => m.Node(
                "Flatten",
                m.Node("Conv", m.Node("AveragePool", [map], ("kernel_shape", new long[] { 3, 3 })), m.Weights(1, 7, 8, 1, 1))
            ),
            "product behind the choice of a token" => m.Node(
                "MatMul",
                m.Node("Gather", [Tokens(m, map), m.Graph.Constant("i", [0L])], ("axis", 1L)),
                m.Weights(1, 8, 7)
            ),
            _ => m.Node(
                "MatMul",
                m.Node("Reshape", map, m.Node("Concat", [Batch(m, map), m.Shape(72)], ("axis", 0L))),
                m.Weights(1, 72, 7)
            ),
        };
        m.Output(made);
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal(feature, m.Model.Graph.Node.Single(n => n.Output.Contains(backbone.Penultimate!)).OpType);
    }

    [Fact]
    public void Cut_AverageOfScoresOfTokens_IsTheAverageOfTheTokens()
    {
        var m = new SmallModel();
        var tokens = Tokens(m, m.Body(m.Input));
        var scores = m.Node("MatMul", tokens, m.Weights(1, 8, 7));
        m.Output(m.Node("ReduceMean", [scores], ("axes", new long[] { 1 }), ("keepdims", 0L)));
        var cut = Backbone.Open(m.Save(_folder)).Cut();
        var pixels = Probe.Pixels([2, 3, SmallModel.Size, SmallModel.Size], 5);
        var (values, _) = m.RunFull(tokens, pixels, 2, 3, SmallModel.Size, SmallModel.Size);
        float[] expected =
        [
            .. values.Chunk(9 * 8).SelectMany(photo => Enumerable.Range(0, 8).Select(d => photo.Where((_, i) => i % 8 == d).Average())),
        ];
        SmallModel.AssertClose(expected, SmallModel.RunCut(cut, pixels, 2));
    }

    private static string Tokens(SmallModel m, string map) =>
        m.Node("Transpose", [m.Node("Reshape", map, m.Shape(0, 8, 9))], ("perm", new long[] { 0, 2, 1 }));

    private static string Batch(SmallModel m, string map) => m.Node("Gather", [m.Node("Shape", map), m.Shape(0)], ("axis", 0L));
}
