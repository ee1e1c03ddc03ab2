using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Cuts by name, poolings, and what is reported when they do not fit.</summary>
public sealed class CutTests : IDisposable
{
    private const int Batch = 2;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(11)]
    [InlineData(13)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(21)]
    public void Cut_EveryPoolingInEveryOpset_IsValid(int opset)
    {
        var (m, map, _) = Small(opset);
        var cut = Backbone
            .Open(m.Save(_folder))
            .Cut(
                new("features", Pooling.None),
                new("features", Pooling.Parse("avg")),
                new("features", Pooling.Parse("max")),
                new("features", Pooling.Parse("adaptive:2x2")),
                CutRequest.Default
            );
        Assert.Equal([72, 8, 8, 32, 8], cut.Outputs.Select(o => o.Dimension));
        Assert.Equal(cut.Outputs.Count, cut.Outputs.Select(o => o.Name).Distinct().Count());
        var (pixels, values) = Run(m, map);
        SmallModel.AssertClose(values, SmallModel.RunCut(cut, pixels, Batch));
        SmallModel.AssertClose([.. values.Chunk(9).Select(c => c.Average())], SmallModel.RunCut(cut, pixels, Batch, 1));
        SmallModel.AssertClose([.. values.Chunk(9).Select(c => c.Max())], SmallModel.RunCut(cut, pixels, Batch, 2));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    [InlineData(3, 1)]
    [InlineData(2, 2)]
    [InlineData(2, 3)]
    [InlineData(5, 4)]
    public void Cut_Adaptive_HasTorchsBins(int height, int width)
    {
        var (m, map, _) = Small(16);
        var cut = Backbone.Open(m.Save(_folder)).Cut(new CutRequest("features", new Pooling(PoolingKind.Adaptive, height, width)));
        var (pixels, values) = Run(m, map);
        var expected = values.Chunk(9).SelectMany(channel => AdaptiveAverage(channel, 3, 3, height, width)).ToArray();
        SmallModel.AssertClose(expected, SmallModel.RunCut(cut, pixels, Batch));
    }

    [Fact]
    public void Cut_ChannelsLastMap_IsPooledAndFlattenedChannelByChannel()
    {
        var m = new SmallModel();
        var map = m.Body(m.Input);
        var last = m.Node("Transpose", [map], ("perm", new long[] { 0, 2, 3, 1 }));
        m.Output(m.Gemm(m.Node("ReduceMean", [last], ("axes", new long[] { 1, 2 }), ("keepdims", 0L)), 8, SmallModel.Classes));
        var cut = Backbone
            .Open(m.Save(_folder))
            .Cut(new(last, Pooling.Parse("max")), new(last, Pooling.Parse("adaptive:3x3")), new(last, Pooling.None));
        var (pixels, values) = Run(m, map);
        SmallModel.AssertClose([.. values.Chunk(9).Select(c => c.Max())], SmallModel.RunCut(cut, pixels, Batch));
        SmallModel.AssertClose(values, SmallModel.RunCut(cut, pixels, Batch, 1));
        SmallModel.AssertClose(
            m.RunFull(last, pixels, Batch, 3, SmallModel.Size, SmallModel.Size).Values,
            SmallModel.RunCut(cut, pixels, Batch, 2)
        );
    }

    [Theory]
    [InlineData("Pow", "Pow")]
    [InlineData("Mul", "Sqrt")]
    [InlineData("Exp", "Log")]
    public void Cut_FeaturesBeforeGeneralizedMean_IsTheMapWithoutItsPower(string power, string root)
    {
        var m = new SmallModel();
        var map = m.Body(m.Input);
        var bounded = m.Node("Clip", map, m.Scalar(1e-6f));
        var raised = power switch
        {
            "Pow" => m.Node("Pow", bounded, m.Scalar(3)),
            "Mul" => m.Node("Mul", bounded, bounded),
            _ => m.Node(power, bounded),
        };
        var mean = m.Node("GlobalAveragePool", raised);
        var rooted = root == "Pow" ? m.Node("Pow", mean, m.Scalar(1 / 3f)) : m.Node(root, mean);
        m.Output(m.Gemm(m.Node("Flatten", rooted), 8, SmallModel.Classes));
        var cut = Backbone.Open(m.Save(_folder)).Cut(new CutRequest("features", Pooling.None));
        var (pixels, values) = Run(m, map);
        SmallModel.AssertClose(values, SmallModel.RunCut(cut, pixels, Batch));
    }

    [Fact]
    public void Cut_FeaturesOfAMapThatIsSquaredForGood_AreTheSquares()
    {
        var m = new SmallModel();
        var map = m.Body(m.Input);
        var squares = m.Node("Mul", map, map);
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", squares)), 8, SmallModel.Classes));
        var cut = Backbone.Open(m.Save(_folder)).Cut(new CutRequest("features", Pooling.None));
        var (pixels, values) = Run(m, squares);
        SmallModel.AssertClose(values, SmallModel.RunCut(cut, pixels, Batch));
    }

    [Fact]
    public void Cut_TensorOrNodeName_StopsThere()
    {
        var (m, _, _) = Small(17);
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal("relu_out", backbone.Cut(new CutRequest("Relu", Pooling.None)).Outputs[0].Tensor);
        var cut = backbone.Cut(new CutRequest("relu_out", Pooling.None));
        Assert.Equal(6 * 36, cut.Outputs[0].Dimension);
        Assert.Single(cut.Model.Graph.Node, n => n.OpType == "Conv");
        var (pixels, values) = Run(m, "relu_out");
        SmallModel.AssertClose(values, SmallModel.RunCut(cut, pixels, Batch));
    }

    [Theory]
    [InlineData("averagepool", "; did you mean 'globalaveragepool_out'?")]
    [InlineData("RELU", "; did you mean 'relu_out_1'?")]
    [InlineData("penultimat", "; did you mean 'penultimate'?")]
    [InlineData("conv_uot_1", "; did you mean 'conv_out_1'?")]
    [InlineData("xyzzy", "no tensor 'xyzzy' (transfer inspect --cuts lists them")]
    [InlineData("w", "'w' is not computed from the photo's pixels")]
    [InlineData("input", "'input' is not computed from the photo's pixels")]
    public void Cut_NameThatIsNoTensor_IsTold(string name, string expected)
    {
        var (m, _, _) = Small(17);
        var error = Assert.Throws<UsageException>(() => Backbone.Open(m.Save(_folder)).Cut(new CutRequest(name, Pooling.None)));
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Cut_AdaptiveOnAVector_IsRefused()
    {
        var (m, _, _) = Small(17);
        var error = Assert.Throws<UsageException>(() =>
            Backbone.Open(m.Save(_folder)).Cut(new CutRequest("penultimate", Pooling.Parse("adaptive:3x3")))
        );
        Assert.Contains("a vector of 8 values; use pooling none, or the cut 'features'", error.Message);
    }

    [Fact]
    public void Cut_EightBitTensor_IsRefused()
    {
        var m = new SmallModel(13);
        var quantized = m.Node("QuantizeLinear", m.Body(m.Input), m.Scalar(0.01f), m.Bytes(DataType.Uint8, [0]));
        var map = m.Node("DequantizeLinear", quantized, m.Scalar(0.01f), m.Bytes(DataType.Uint8, [0]));
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", map)), 8, SmallModel.Classes));
        var error = Assert.Throws<UsageException>(() => Backbone.Open(m.Save(_folder)).Cut(new CutRequest(quantized, Pooling.None)));
        Assert.Contains("holds uint8 values", error.Message);
    }

    [Fact]
    public void Cut_LargeClassifier_IsLeftInTheFile()
    {
        // As in VGG: most of the file lies past the cut and is not even read.
        var m = new SmallModel();
        var map = m.Body(m.Input);
        var hidden = m.Node("Relu", m.Gemm(m.Node("Flatten", map), 72, 20_000));
        m.Output(m.Gemm(hidden, 20_000, SmallModel.Classes));
        var file = m.Save(_folder);
        var cut = Backbone.Open(file).Cut(new CutRequest("features", Pooling.None));
        Assert.Equal(map, cut.Outputs[0].Tensor);
        Assert.InRange(cut.TotalBytes, 1000, 10_000);
        Assert.InRange(new FileInfo(file).Length, 6_000_000, 8_000_000);
    }

    [Fact]
    public void Summarize_SmallNetwork_CountsByHand()
    {
        var (m, _, feature) = Small(17);
        var summary = Backbone.Open(m.Save(_folder)).Summarize();
        // Conv 3x3: 3 -> 6 on 6 x 6, 6 -> 8 on 3 x 3; Gemm 8 -> 7. Each with bias.
        Assert.Equal([6 * 3 * 9 + 6, 8 * 6 * 9 + 8, 8 * 7 + 7], summary.Layers.Where(l => l.Parameters > 0).Select(l => l.Parameters));
        Assert.Equal([6 * 36 * 27, 8 * 9 * 54, 56], summary.Layers.Where(l => l.MultiplyAdds > 0).Select(l => l.MultiplyAdds));
        Assert.Equal((summary.Parameters - 63, summary.MultiplyAdds - 56), (summary.ParametersToCut, summary.MultiplyAddsToCut));
        Assert.Equal((feature, "penultimate"), Assert.Single(summary.Layers.Where(l => l.Cut.Length > 0).Select(l => (l.Tensor, l.Cut))));
        Assert.Equal([1, 6, 6, 6], summary.Layers[0].Shape);
        Assert.Equal("Gemm", Assert.Single(summary.Layers, l => !l.Kept).Operator);
    }

    [Fact]
    public void Summarize_FixedBatch_CountsForOnePhoto()
    {
        var m = new SmallModel(17, "input", TensorProto.Types.DataType.Float, 4, 3, SmallModel.Size, SmallModel.Size);
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input))), 8, SmallModel.Classes));
        var summary = Backbone.Open(m.Save(_folder)).Summarize();
        Assert.Equal([6 * 36 * 27, 8 * 9 * 54, 56], summary.Layers.Where(l => l.MultiplyAdds > 0).Select(l => l.MultiplyAdds));
        Assert.Equal([4, 6, 6, 6], summary.Layers[0].Shape);
    }

    [Fact]
    public void Cut_TensorWhoseBatchIsNotFirst_IsTurned()
    {
        var m = new SmallModel();
        var vector = m.Node("Flatten", m.Body(m.Input));
        var turned = m.Node("Transpose", [vector], ("perm", new long[] { 1, 0 }));
        m.Output(m.Gemm(m.Node("Transpose", [turned], ("perm", new long[] { 1, 0 })), 72, SmallModel.Classes));
        var cut = Backbone.Open(m.Save(_folder)).Cut(new CutRequest(turned, Pooling.None));
        Assert.Equal(72, cut.Outputs[0].Dimension);
        var (pixels, values) = Run(m, vector);
        SmallModel.AssertClose(values, SmallModel.RunCut(cut, pixels, Batch));
    }

    [Fact]
    public void Summarize_OtherCuts_DrawsTheirLinesAndCountsUpToThem()
    {
        var (m, map, _) = Small(17);
        var backbone = Backbone.Open(m.Save(_folder));
        var summary = backbone.Summarize(new CutRequest("features", Pooling.None), new CutRequest("relu_out", Pooling.None));
        Assert.Equal(
            [("relu_out", "relu_out"), (map, "features")],
            summary.Layers.Where(l => l.Cut.Length > 0).Select(l => (l.Tensor, l.Cut))
        );
        Assert.Equal(6 * 36 * 27 + 8 * 9 * 54, summary.MultiplyAddsToCut);
        Assert.Equal(map, summary.Layers.Last(l => l.Kept).Tensor);
    }

    [Fact]
    public void Summarize_EfficientNetLite0_HasThePublishedSize()
    {
        // 4.65 M parameters (batch norms folded: 4.63 M) and 0.39 G multiply-adds at 224 pixels.
        var summary = Backbone.Open(SharedData.RequireModel("efficientnet-lite0.onnx")).Summarize();
        Assert.InRange(summary.Parameters, 4_600_000, 4_700_000);
        Assert.InRange(summary.MultiplyAdds, 380_000_000, 410_000_000);
        var quantized = Backbone.Open(SharedData.RequireModel("efficientnet-lite0-int8.onnx")).Summarize();
        Assert.Equal((summary.Parameters, summary.MultiplyAdds), (quantized.Parameters, quantized.MultiplyAdds));
    }

    [Fact]
    public void Candidates_SmallNetwork_AreTheTensorsOnEveryWay()
    {
        var (m, map, feature) = Small(17);
        var backbone = Backbone.Open(m.Save(_folder));
        var candidates = backbone.Candidates();
        Assert.Equal([feature, "globalaveragepool_out", map, "conv_out_1", "relu_out", "conv_out"], candidates.Select(c => c.Tensor));
        Assert.Equal((8, 8, "penultimate"), (candidates[0].Length, candidates[0].Pooled, candidates[0].Alias));
        Assert.Equal((72, 8, "features"), (candidates[2].Length, candidates[2].Pooled, candidates[2].Alias));
        Assert.All(candidates, c => Assert.Equal(c.Length, backbone.Cut(new CutRequest(c.Tensor, Pooling.None)).Outputs[0].Dimension));
    }

    [Fact]
    public void Open_NodesOutOfOrder_AreSorted()
    {
        var (m, _, feature) = Small(17);
        var nodes = m.Model.Graph.Node.Reverse().ToList();
        m.Model.Graph.Node.Clear();
        m.Model.Graph.Node.AddRange(nodes);
        Assert.Equal(feature, Backbone.Open(m.Save(_folder)).Penultimate);
    }

    /// <summary>torch.nn.AdaptiveAvgPool2d: bin i covers floor(i * size / bins) up to ceil((i + 1) * size / bins).</summary>
    private static IEnumerable<float> AdaptiveAverage(float[] map, int h, int w, int height, int width)
    {
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var sum = new List<float>();
                for (var i = (int)Math.Floor((double)y * h / height); i < (int)Math.Ceiling((y + 1.0) * h / height); i++)
                {
                    for (var j = (int)Math.Floor((double)x * w / width); j < (int)Math.Ceiling((x + 1.0) * w / width); j++)
                        sum.Add(map[i * w + j]);
                }

                yield return sum.Average();
            }
        }
    }

    private static (SmallModel Model, string Map, string Feature) Small(int opset)
    {
        var m = new SmallModel(opset);
        var map = m.Body(m.Input);
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", map));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        return (m, map, feature);
    }

    private static (float[] Pixels, float[] Values) Run(SmallModel m, string tensor)
    {
        var pixels = Probe.Pixels([Batch, 3, SmallModel.Size, SmallModel.Size], 5);
        return (pixels, m.RunFull(tensor, pixels, Batch, 3, SmallModel.Size, SmallModel.Size).Values);
    }
}
