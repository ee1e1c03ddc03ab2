using TransferPipeline.Backbones;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Networks exported in training mode, batches baked in a shape, and sizes that the file leaves open.</summary>
public sealed class RandomNetworkTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("noise", "is random")]
    [InlineData("uniform noise", "is random")]
    [InlineData("bernoulli", "is random")]
    [InlineData("dropout whose mode is computed", "one photo twice gives two vectors")]
    [InlineData("statistics of the batch", "takes the statistics of its batch")]
    [InlineData("statistics of the batch before opset 14", "takes the statistics of its batch")]
    public void Cut_RandomOrBatchDependentLayer_IsRefused(string form, string expected)
    {
        var m = new SmallModel(form.EndsWith("14", StringComparison.Ordinal) ? 13 : 17);
        var map = m.Body(m.Input);
        map = form switch
        {
            "noise" => m.Node("Add", map, m.Node("RandomNormalLike", [map], ("scale", 0.001f))),
            "uniform noise" => m.Node("Mul", map, m.Node("RandomUniform", [], ("shape", new long[] { 3, 3 }), ("seed", 3f))),
            "bernoulli" => m.Node("Mul", map, m.Node("Bernoulli", m.Node("Sigmoid", map))),
            "dropout whose mode is computed" => m.Node(
                "Dropout",
                map,
                m.Scalar(0.4f),
                m.Node("Greater", m.Node("ReduceMax", [map], ("keepdims", 0L)), m.Scalar(-1))
            ),
            _ => Statistics(m, map, form.EndsWith("14", StringComparison.Ordinal)),
        };
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", map)), 8, SmallModel.Classes));
        var error = Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder)).Cut());
        Assert.Contains(expected, error.Message);
        Assert.Contains("exported in training mode?", error.Message);
    }

    [Theory]
    [InlineData("RandomNormalLike")]
    [InlineData("RandomUniformLike")]
    [InlineData("Bernoulli")]
    [InlineData("RandomNormal")]
    public void Cut_NoiseTimesZero_IsTaken(string op)
    {
        var m = new SmallModel(17);
        var map = m.Body(m.Input);
        var noise = op == "RandomNormal" ? m.Node(op, [], ("shape", new long[] { 3, 3 })) : m.Node(op, m.Node("Sigmoid", map));
        map = m.Node("Add", map, m.Node("Mul", noise, m.Graph.Constant("off", [0f, 0, 0], 3)));
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", map));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        var backbone = Backbone.Open(m.Save(_folder));
        var pixels = Probe.Pixels([2, 3, SmallModel.Size, SmallModel.Size], 5);
        SmallModel.AssertClose(
            m.RunFull(feature, pixels, 2, 3, SmallModel.Size, SmallModel.Size).Values,
            SmallModel.RunCut(backbone.Cut(), pixels, 2)
        );
    }

    [Theory]
    [InlineData("RandomNormalLike", "scale")]
    [InlineData("RandomUniformLike", "high")]
    [InlineData("RandomNormal", "scale")]
    [InlineData("RandomUniform", "high")]
    public void Cut_NoiseOfNoWidth_IsLeftOut(string op, string width)
    {
        var m = new SmallModel(17);
        var map = m.Body(m.Input);
        string[] like = op.EndsWith("Like", StringComparison.Ordinal) ? [map] : [];
        (string, object)[] attributes = like.Length > 0 ? [(width, 0f)] : [(width, 0f), ("shape", new long[] { 3, 3 })];
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Node("Add", map, m.Node(op, like, attributes))));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        var plain = new SmallModel(17);
        plain.Output(plain.Gemm(plain.Node("Flatten", plain.Node("GlobalAveragePool", plain.Body(plain.Input))), 8, SmallModel.Classes));
        var pixels = Probe.Pixels([2, 3, SmallModel.Size, SmallModel.Size], 5);
        SmallModel.AssertClose(
            SmallModel.RunCut(Backbone.Open(plain.Save(_folder, "plain.onnx")).Cut(), pixels, 2),
            SmallModel.RunCut(Backbone.Open(m.Save(_folder)).Cut(), pixels, 2)
        );
    }

    [Fact]
    public void Summarize_DistributionOfNoWidth_DoesNotRunIt()
    {
        // ONNX Runtime ends the process where a deviation is not above 0.
        var m = new SmallModel();
        var map = m.Body(m.Input);
        map = m.Node("Add", map, m.Node("RandomNormalLike", [map], ("scale", 0f)));
        map = m.Node("Add", map, m.Node("RandomUniform", [], ("shape", new long[] { 3, 3 }), ("low", 2f), ("high", 1f)));
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", map)), 8, SmallModel.Classes));
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal([1, 8, 3, 3], backbone.Summarize().Layers.Single(l => l.Operator == "RandomNormalLike").Shape);
        Assert.Contains("is random", Assert.Throws<BadInputException>(() => backbone.Cut()).Message);
    }

    [Fact]
    public void Cut_NoFiniteNumbers_AreNotTakenForRandom()
    {
        var m = new SmallModel();
        var pooled = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        // Of the channels some are NaN, some infinite, and some numbers.
        var feature = m.Node("Div", pooled, m.Graph.Constant("by", [0f, 1, float.NaN, 1, float.Epsilon, 1, 1, 1], 8));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        var cut = Backbone.Open(m.Save(_folder)).Cut();
        Assert.Equal((8, null), (cut.Outputs[0].Dimension, cut.MaxBatch));
    }

    [Fact]
    public void Cut_DropoutThatIsOff_IsTaken()
    {
        var m = new SmallModel(13);
        var map = m.Node("Dropout", m.Body(m.Input), m.Scalar(0f), HeadFormTests.True(m));
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Node("Dropout", map, m.Scalar(0.5f)))), 8, SmallModel.Classes));
        Assert.Equal(8, Backbone.Open(m.Save(_folder)).Cut().Outputs[0].Dimension);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(1, false)]
    [InlineData(4, true)]
    [InlineData(-1, true)]
    public void Cut_ReshapeThatKeepsTheBatchAndFillsTheRest_IsFreed(int batch, bool fills)
    {
        // With several photos the constant (1, -1) makes one long vector of them without an error.
        var m = new SmallModel(16, "input", DataType.Float, batch, 3, SmallModel.Size, SmallModel.Size);
        var feature = m.Node("Reshape", m.Node("GlobalAveragePool", m.Body(m.Input)), m.Shape(Math.Max(1, batch), fills ? -1 : 8));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes), -1, SmallModel.Classes);
        var cut = Backbone.Open(m.Save(_folder)).Cut();
        Assert.Equal((8, null), (cut.Outputs[0].Dimension, cut.MaxBatch));
        Assert.Contains("made dynamic", cut.BatchMessage);
        var pixels = Probe.Pixels([3, 3, SmallModel.Size, SmallModel.Size], 5);
        float[] expected =
        [
            .. pixels
                .Chunk(pixels.Length / 3)
                .SelectMany(p =>
                    m.RunFull(
                        feature,
                        [.. Enumerable.Repeat(p, Math.Max(1, batch)).SelectMany(v => v)],
                        Math.Max(1, batch),
                        3,
                        SmallModel.Size,
                        SmallModel.Size
                    ).Values[..8]
                ),
        ];
        SmallModel.AssertClose(expected, SmallModel.RunCut(cut, pixels, 3));
    }

    [Theory]
    [InlineData("N, 3, ?, ?")]
    [InlineData("?, ?, ?, ?")]
    [InlineData("N, ?, ?, 3")]
    public void Add_OpenSize_TakesTheCrops(string shape)
    {
        long[] dims = [.. shape.Split(", ").Select(d => d == "3" ? 3L : -1L)];
        var m = new SmallModel(13, "x", DataType.Float, dims);
        var x = dims[3] == 3 ? m.Node("Transpose", [m.Input], ("perm", new long[] { 0, 3, 1, 2 })) : m.Input;
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(x))), 8, SmallModel.Classes), -1, SmallModel.Classes);
        var store = PhotoVectors.EmptyStore(_folder);
        store.Add(m.Save(_folder), "square", p => p with { ResizeShortSide = 30, CropHeight = 20, CropWidth = 20 });
        store.Add(
            m.Save(_folder),
            "wide",
            p => p with { ResizeShortSide = 0, ResizeHeight = 16, ResizeWidth = 24, CropHeight = 0, CropWidth = 0 }
        );
        Assert.Equal(224, store.Add(m.Save(_folder), "default").Manifest.InputSize);
        foreach (var (name, size) in new[] { ("square", (20, 20)), ("wide", (16, 24)) })
        {
            var model = store.Resolve(name);
            Assert.Equal(size, (model.Preprocessing.OutputHeight, model.Preprocessing.OutputWidth));
            Assert.Equal(2 * 8, PhotoVectors.Of(model, CutRequest.Default, PhotoVectors.Validation.Take(2).ToList()).Length);
        }
    }

    private static string Statistics(SmallModel m, string map, bool old)
    {
        string[] inputs =
        [
            map,
            m.Weights(1, 8),
            m.Weights(1, 8),
            m.Weights(1, 8),
            m.Graph.Constant("variance", Enumerable.Repeat(1f, 8).ToArray(), 8),
        ];
        var outputs = m.Graph.Nodes("BatchNormalization", "", old ? 5 : 3, inputs);
        if (!old)
            m.Model.Graph.Node[^1].Attribute.Add(TransferPipeline.Onnx.OnnxAttributes.Create("training_mode", 1L));
        return outputs[0];
    }
}
