using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Poolings of maps and tokens whose lengths do not show on which axis the channels are.</summary>
public sealed class ChannelAxisTests : IDisposable
{
    private const int Batch = 2;
    private const int Channels = 8;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The body of two strides of 2 makes a map of 8 channels and a quarter of the sides.</summary>
    [Theory]
    [InlineData("channels first", 24, 32)]
    [InlineData("channels first", 32, 64)] // 8 x 8 x 16, as if of 16 channels
    [InlineData("channels last", 24, 32)]
    [InlineData("channels last", 32, 32)] // 8 x 8 x 8
    [InlineData("channels last, normalized", 24, 32)]
    [InlineData("channels last, a bias", 24, 32)]
    [InlineData("channels last, a residual", 32, 32)]
    [InlineData("channels last, a product of rows", 32, 32)]
    [InlineData("channels first, cropped and limited", 32, 64)]
    [InlineData("tokens", 24, 32)]
    [InlineData("tokens", 16, 8)] // 8 x 8
    [InlineData("tokens, channels first", 24, 32)]
    [InlineData("tokens, channels first", 16, 8)]
    [InlineData("tokens, channels first", 32, 32)]
    public void Cut_AverageAndMaximum_AreOfEachChannel(string form, int height, int width)
    {
        var m = new SmallModel(17, "input", DataType.Float, -1, 3, height, width);
        var map = m.Body(m.Input);
        string Last() => m.Node("Transpose", [map], ("perm", new long[] { 0, 2, 3, 1 }));
        string Tokens(string x) => m.Node("Transpose", [x], ("perm", new long[] { 0, 2, 1 }));
        string Flat() => m.Node("Reshape", map, m.Shape(0, Channels, -1));
        var ones = m.Graph.Constant("ones", [1f, 1, 1, 1, 1, 1, 1, 1], Channels);
        var cut = form switch
        {
            "channels last" => Last(),
            "channels last, normalized" => m.Node("LayerNormalization", [Last(), ones], ("axis", -1L)),
            "channels last, a bias" => m.Node("Add", Last(), m.Weights(0.3f, Channels)),
            "channels last, a residual" => Residual(Last()),
            "channels last, a product of rows" => m.Node("MatMul", Last(), m.Weights(0.3f, Channels, Channels)),
            "channels first, cropped and limited" => m.Node(
                "Clip",
                m.Node("Slice", map, m.Shape(0), m.Shape(6), m.Shape(2)),
                m.Scalar(0),
                m.Scalar(0.5f)
            ),
            "tokens" => Tokens(Flat()),
            "tokens, channels first" => Flat(),
            _ => m.Node("Relu", map),
        };
        string Residual(string x) => m.Node("Add", x, m.Node("MatMul", m.Node("Tanh", x), m.Weights(0.3f, Channels, Channels)));
        // The classifier makes a network of it; the cut is named.
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", map)), Channels, SmallModel.Classes));
        m.Output(cut, -1);

        var backbone = Backbone.Open(m.Save(_folder));
        var model = backbone.Cut(new(cut, Pooling.Parse("avg")), new(cut, Pooling.Parse("max")));
        Assert.Equal([Channels, Channels], model.Outputs.Select(o => o.Dimension));
        var pixels = Probe.Pixels([Batch, 3, height, width], 5);
        var (values, shape) = m.RunFull(cut, pixels, Batch, 3, height, width);
        var channels = ByChannel(values, shape, form.Contains("last", StringComparison.Ordinal) || form == "tokens");
        SmallModel.AssertClose([.. channels.Select(c => c.Average())], SmallModel.RunCut(model, pixels, Batch));
        SmallModel.AssertClose([.. channels.Select(c => c.Max())], SmallModel.RunCut(model, pixels, Batch, 1));
    }

    [Fact]
    public void Cut_PatchesOfTokensWithChannelsFirst_AreAllOfThem()
    {
        var m = new SmallModel(17, "input", DataType.Float, -1, 3, 24, 24);
        var map = m.Node("Conv", [m.Input, m.Weights(0.3f, 5, 3, 4, 4)], ("strides", new long[] { 4, 4 }));
        var tokens = m.Node("Reshape", map, m.Shape(0, 5, 36));
        m.Output(tokens, -1, 5, 36);
        var model = Backbone.Open(m.Save(_folder)).Cut(new CutRequest(CutRequest.Penultimate, Pooling.Parse("mean")));
        var pixels = Probe.Pixels([Batch, 3, 24, 24], 5);
        var (values, _) = m.RunFull(tokens, pixels, Batch, 3, 24, 24);
        SmallModel.AssertClose([.. values.Chunk(36).Select(c => c.Average())], SmallModel.RunCut(model, pixels, Batch));
        Assert.Contains(
            "needs a class token",
            Assert
                .Throws<UsageException>(() =>
                    Backbone.Open(_folder.At("model.onnx")).Cut(new CutRequest(CutRequest.Penultimate, Pooling.Parse("cls")))
                )
                .Message
        );
    }

    [Theory]
    [InlineData(24, 4, 6, 16)]
    [InlineData(32, 8, 8, 16)] // two equal sides of a photo that is no square
    public void Cut_ChannelsThatNothingShows_AreRefused(int height, int first, int second, int third)
    {
        var m = new SmallModel(17, "input", DataType.Float, -1, 3, height, height == 24 ? 32 : 64);
        var parts = m.Node("Reshape", m.Body(m.Input), m.Shape(0, 2, -1));
        var cut = m.Node("Reshape", parts, m.Shape(0, first, second, third));
        m.Output(cut, -1, first, second, third);
        var backbone = Backbone.Open(m.Save(_folder));
        var error = Assert.Throws<UsageException>(() => backbone.Cut(new CutRequest(cut, Pooling.Parse("avg"))));
        Assert.EndsWith(
            $"is of shape 1 x {first} x {second} x {third}, and the graph does not show which axis holds the channels; "
                + "use pooling none, or choose another tensor",
            error.Message
        );
        Assert.Equal(first * second * third, backbone.Cut(new CutRequest(cut, Pooling.None)).Outputs[0].Dimension);
    }

    [Fact]
    public void Candidates_MapsOfPhotosThatAreNoSquares_HaveTheLengthOfTheirChannels()
    {
        var m = new SmallModel(17, "input", DataType.Float, -1, 3, 24, 32);
        var map = m.Body(m.Input);
        var last = m.Node("Transpose", [map], ("perm", new long[] { 0, 2, 3, 1 }));
        m.Output(m.Gemm(m.Node("ReduceMean", [last], ("axes", new long[] { 1, 2 }), ("keepdims", 0L)), Channels, SmallModel.Classes));
        var candidates = Backbone.Open(m.Save(_folder)).Candidates();
        Assert.Equal([Channels, Channels], candidates.Where(c => c.Tensor == last || c.Tensor == map).Select(c => (int)c.Pooled));
    }

    /// <summary>The values of each photo's channels.</summary>
    private static IEnumerable<float[]> ByChannel(float[] values, long[] shape, bool last)
    {
        var positions = values.Length / Batch / Channels;
        Assert.Equal(Channels, shape[last ? ^1 : 1]);
        return values
            .Chunk(Channels * positions)
            .SelectMany(photo =>
                Enumerable.Range(0, Channels).Select(c => photo.Where((_, i) => (last ? i % Channels : i / positions) == c).ToArray())
            );
    }
}
