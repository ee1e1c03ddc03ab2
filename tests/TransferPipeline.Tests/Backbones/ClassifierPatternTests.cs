using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Images;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>One small graph for each form in which classifiers come; the cut is compared with the whole model's own tensor.</summary>
public sealed class ClassifierPatternTests : IDisposable
{
    private const int Batch = 3;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Cut_Gemm_IsItsInput()
    {
        var m = new SmallModel();
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        AssertCut(m, feature, 8);
    }

    [Fact]
    public void Cut_GemmWithDropoutAndSoftmax_IsItsInput()
    {
        var m = new SmallModel(opset: 13);
        var feature = m.Node("Dropout", m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input))));
        m.Output(m.Node("Softmax", [m.Gemm(feature, 8, SmallModel.Classes)], ("axis", 1L)));
        AssertCut(m, feature, 8);
    }

    [Fact]
    public void Cut_MatMulAddSoftmaxIdentity_IsTheMatMulsInput()
    {
        var m = new SmallModel(opset: 11);
        var feature = m.Node("Reshape", m.Node("GlobalAveragePool", m.Body(m.Input)), m.Shape(0, -1));
        var logits = m.Node("Add", m.Node("MatMul", feature, m.Weights(1, 8, SmallModel.Classes)), m.Weights(1, SmallModel.Classes));
        m.Output(m.Node("Identity", m.Node("Softmax", [logits], ("axis", 1L))));
        AssertCut(m, feature, 8);
    }

    [Fact]
    public void Cut_ConvBeforePooling_IsItsMapAveraged()
    {
        // SqueezeNet: 1x1 Conv, Relu, average, Flatten; here with the Softmax that tells so few classes from a headless network.
        var m = new SmallModel();
        var map = m.Body(m.Input);
        var conv = m.Node("Relu", m.Node("Conv", map, m.Weights(1, SmallModel.Classes, 8, 1, 1), m.Weights(1, SmallModel.Classes)));
        m.Output(m.Node("Softmax", [m.Node("Flatten", m.Node("GlobalAveragePool", conv))], ("axis", 1L)));
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal(map, backbone.Penultimate);

        var cut = backbone.Cut(CutRequest.Default, new("penultimate", Pooling.Parse("max")), new("features", Pooling.None));
        Assert.Equal([8, 8, 72], cut.Outputs.Select(o => o.Dimension));
        var pixels = Probe.Pixels([Batch, 3, SmallModel.Size, SmallModel.Size], 5);
        var (values, _) = m.RunFull(map, pixels, Batch, 3, SmallModel.Size, SmallModel.Size);
        SmallModel.AssertClose([.. values.Chunk(9).Select(c => c.Average())], SmallModel.RunCut(cut, pixels, Batch));
        SmallModel.AssertClose([.. values.Chunk(9).Select(c => c.Max())], SmallModel.RunCut(cut, pixels, Batch, 1));
        SmallModel.AssertClose(values, SmallModel.RunCut(cut, pixels, Batch, 2));
    }

    [Fact]
    public void Cut_ConvAfterPooling_IsItsInput()
    {
        var m = new SmallModel();
        var feature = m.Node("GlobalAveragePool", m.Body(m.Input));
        var conv = m.Node("Conv", feature, m.Weights(1, SmallModel.Classes, 8, 1, 1));
        m.Output(m.Node("Flatten", conv));
        AssertCut(m, feature, 8);
    }

    [Fact]
    public void Cut_HeadlessNetworkThatEndsInConvReluAverage_IsItsOutput()
    {
        var m = new SmallModel();
        var conv = m.Node("Relu", m.Node("Conv", m.Body(m.Input), m.Weights(1, 16, 8, 1, 1)));
        var output = m.Node("Flatten", m.Node("GlobalAveragePool", conv));
        m.Output(output, -1, 16);
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Null(backbone.Penultimate);
        Assert.Equal((output, 16), (backbone.Cut().Outputs[0].Tensor, backbone.Cut().Outputs[0].Dimension));
    }

    [Fact]
    public void Cut_TwoOutputs_TakesTheDeeperClassifier()
    {
        var m = new SmallModel();
        var early = m.ConvRelu(m.Input, 3, 6);
        var auxiliary = m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", early)), 6, SmallModel.Classes);
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.ConvRelu(early, 6, 8)));
        var logits = m.Gemm(feature, 8, SmallModel.Classes);
        m.Output(auxiliary).Output(logits);
        AssertCut(m, feature, 8);
        Assert.Equal(logits, Backbone.Open(m.Save(_folder)).ClassifyingOutput);
    }

    [Fact]
    public void Cut_ConstantNodesAsWeights_IsFound()
    {
        var m = new SmallModel();
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        var weights = m.Node("Constant", [], ("value", TensorData.Of("", m.Random(1, 8, SmallModel.Classes), [8, SmallModel.Classes])));
        m.Output(
            m.Node(
                "Add",
                m.Node("Constant", [], ("value", TensorData.Of("", m.Random(1, SmallModel.Classes), [SmallModel.Classes]))),
                m.Node("MatMul", feature, weights)
            )
        );
        AssertCut(m, feature, 8);
    }

    [Fact]
    public void Cut_Nhwc_KeepsTheLayoutAndFindsTheMatMul()
    {
        // As tf2onnx writes Keras models: NHWC input transposed once, mean over axes 2 and 3, MatMul, Add, Softmax.
        var m = new SmallModel(13, "image", DataType.Float, -1, SmallModel.Size, SmallModel.Size, 3);
        var map = m.Body(m.Node("Transpose", [m.Input], ("perm", new long[] { 0, 3, 1, 2 })));
        var feature = m.Node("ReduceMean", [map], ("axes", new long[] { 2, 3 }), ("keepdims", 0L));
        m.Output(
            m.Node(
                "Softmax",
                [m.Node("Add", m.Node("MatMul", feature, m.Weights(1, 8, SmallModel.Classes)), m.Weights(1, SmallModel.Classes))],
                ("axis", 1L)
            )
        );
        var backbone = AssertCut(m, feature, 8);
        Assert.Equal(TensorLayout.Nhwc, backbone.Input.Layout);
        Assert.Equal(map, backbone.Cut(new CutRequest("features", Pooling.None)).Outputs[0].Tensor);
    }

    [Fact]
    public void Cut_UnknownSizes_TakesTheSizeAskedFor()
    {
        // As Paddle exports: every size unknown, Identity after Softmax.
        var m = new SmallModel(11, "x", DataType.Float, -1, 3, -1, -1);
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Output(m.Node("Identity", m.Node("Softmax", [m.Gemm(feature, 8, SmallModel.Classes)], ("axis", 1L))), -1, -1);
        var file = m.Save(_folder);
        Assert.Equal((224, false), (Backbone.Open(file).Input.Height, Backbone.Open(file).Input.SizeIsFixed));
        var cut = Backbone.Open(file, 20).Cut();
        Assert.Equal((20, 20, 8), (cut.InputHeight, cut.InputWidth, cut.Outputs[0].Dimension));
        var pixels = Probe.Pixels([1, 3, 20, 20]);
        SmallModel.AssertClose(m.RunFull(feature, pixels, 1, 3, 20, 20).Values, SmallModel.RunCut(cut, pixels, 1));
    }

    [Fact]
    public void Open_FixedSizeAndAnotherAskedFor_IsRefused()
    {
        var m = new SmallModel();
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input))), 8, SmallModel.Classes));
        var error = Assert.Throws<UsageException>(() => Backbone.Open(m.Save(_folder), 224));
        Assert.Contains("12 x 12", error.Message);
    }

    [Fact]
    public void Cut_InitializersAsInputs_AreNotInputs()
    {
        var m = new SmallModel(opset: 8);
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        m.Model.IrVersion = 3;
        m.Model.Graph.Input.AddRange(m.Model.Graph.Initializer.Select(i => GraphWriter.Declare(i.Name, (DataType)i.DataType, [.. i.Dims])));
        AssertCut(m, feature, 8);
    }

    [Theory]
    [InlineData("nd,dc->nc", true)]
    [InlineData("nd, cd -> nc", true)]
    [InlineData("jk,ij->ik", false)]
    [InlineData("...d,dc->...c", true)]
    public void Cut_ClassifierByEinsum_IsRecognized(string equation, bool isFirst)
    {
        var m = new SmallModel();
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        var weights = equation.Contains("cd", StringComparison.Ordinal)
            ? m.Weights(1, SmallModel.Classes, 8)
            : m.Weights(1, 8, SmallModel.Classes);
        var logits = m.Node("Einsum", isFirst ? [feature, weights] : [weights, feature], ("equation", equation));
        m.Output(m.Node("Softmax", m.Node("Add", logits, m.Weights(1, SmallModel.Classes))));
        AssertCut(m, feature, 8);
    }

    [Fact]
    public void Cut_TransformerWithClassToken_GivesTokenAndTokens()
    {
        // ViT: patches as tokens, a class token in front, attention, the token chosen by Gather.
        var m = new SmallModel();
        var patches = m.Node(
            "Transpose",
            [
                m.Node(
                    "Reshape",
                    m.Node("Conv", [m.Input, m.Weights(0.3f, 8, 3, 4, 4)], ("strides", new long[] { 4, 4 })),
                    m.Shape(0, 8, -1)
                ),
            ],
            ("perm", new long[] { 0, 2, 1 })
        );
        var count = m.Node("Gather", [m.Node("Shape", m.Input), m.Graph.Constant("zero", [0L], 1)]);
        var classToken = m.Node("Expand", m.Weights(1, 1, 1, 8), m.Node("Concat", [count, m.Shape(1, 8)], ("axis", 0L)));
        var tokens = m.Node("Concat", [classToken, patches], ("axis", 1L));
        var attention = m.Node(
            "Softmax",
            [m.Node("MatMul", tokens, m.Node("Transpose", [tokens], ("perm", new long[] { 0, 2, 1 })))],
            ("axis", -1L)
        );
        var encoded = m.Node("Add", tokens, m.Node("MatMul", m.Node("MatMul", attention, tokens), m.Weights(0.5f, 8, 8)));
        var feature = m.Node("Gather", [encoded, m.Graph.Constant("first", [0L], [])], ("axis", 1L));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        AssertCut(m, feature, 8);

        var cut = Backbone.Open(m.Save(_folder)).Cut(new("features", Pooling.None), new("features", Pooling.Parse("avg")));
        Assert.Equal([encoded, encoded], cut.Outputs.Select(o => o.Tensor));
        Assert.Equal([80, 8], cut.Outputs.Select(o => o.Dimension));
        var pixels = Probe.Pixels([Batch, 3, SmallModel.Size, SmallModel.Size], 5);
        var (values, _) = m.RunFull(encoded, pixels, Batch, 3, SmallModel.Size, SmallModel.Size);
        SmallModel.AssertClose(values, SmallModel.RunCut(cut, pixels, Batch));
        var means = values
            .Chunk(80)
            .SelectMany(photo => Enumerable.Range(0, 8).Select(c => Enumerable.Range(0, 10).Average(t => photo[t * 8 + c])));
        SmallModel.AssertClose([.. means], SmallModel.RunCut(cut, pixels, Batch, 1));
    }

    [Fact]
    public void Cut_HalfPrecisionWeightsBehindCasts_GivesFloat()
    {
        var m = new SmallModel();
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        foreach (var initializer in m.Model.Graph.Initializer.Where(i => i.DataType == (int)DataType.Float).ToList())
        {
            var half = Half(initializer, initializer.Name + "_half");
            m.Model.Graph.Initializer.Remove(initializer);
            m.Model.Graph.Initializer.Add(half);
            m.Model.Graph.Node.Insert(
                0,
                new NodeProto
                {
                    OpType = "Cast",
                    Name = initializer.Name,
                    Input = { half.Name },
                    Output = { initializer.Name },
                    Attribute = { OnnxAttributes.Create("to", 1L) },
                }
            );
        }

        var backbone = AssertCut(m, feature, 8);
        Assert.Equal(SmallModel.Classes, backbone.Classes);
    }

    [Fact]
    public void Cut_HalfPrecisionGraph_TakesAndGivesFloat()
    {
        var m = new SmallModel(17, "input", DataType.Float16);
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        var logits = m.Gemm(feature, 8, SmallModel.Classes);
        m.Model.Graph.Output.Add(GraphWriter.Declare(logits, DataType.Float16, -1, SmallModel.Classes));
        for (var i = 0; i < m.Model.Graph.Initializer.Count; i++)
        {
            if (m.Model.Graph.Initializer[i].DataType == (int)DataType.Float)
                m.Model.Graph.Initializer[i] = Half(m.Model.Graph.Initializer[i], m.Model.Graph.Initializer[i].Name);
        }

        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal("float16", backbone.Input.ElementType);
        var cut = backbone.Cut();
        var pixels = Probe.Pixels([Batch, 3, SmallModel.Size, SmallModel.Size], 5);
        // The same network in float: what remains is the rounding to 11 bits.
        var exact = new SmallModel();
        var expected = exact.Node("Flatten", exact.Node("GlobalAveragePool", exact.Body(exact.Input)));
        SmallModel.AssertClose(
            exact.RunFull(expected, pixels, Batch, 3, SmallModel.Size, SmallModel.Size).Values,
            SmallModel.RunCut(cut, pixels, Batch),
            5e-3f
        );
    }

    [Fact]
    public void Cut_ExternalData_ReadsAndHashesThem()
    {
        var m = new SmallModel();
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        var external = m.Model.Clone();
        using (var data = File.Create(_folder.At("model.onnx.data")))
        {
            foreach (var tensor in external.Graph.Initializer.Where(i => i.Dims.Count > 1))
            {
                TensorData.SetLocation(tensor, "model.onnx.data", data.Position, tensor.RawData.Length);
                data.Write(tensor.RawData.Span);
                tensor.RawData = ByteString.Empty;
            }
        }

        var file = _folder.At("model.onnx");
        File.WriteAllBytes(file, external.ToByteArray());
        var backbone = Backbone.Open(file);
        var pixels = Probe.Pixels([Batch, 3, SmallModel.Size, SmallModel.Size], 5);
        SmallModel.AssertClose(
            m.RunFull(feature, pixels, Batch, 3, SmallModel.Size, SmallModel.Size).Values,
            SmallModel.RunCut(backbone.Cut(), pixels, Batch)
        );

        var sha256 = backbone.Sha256;
        var bytes = File.ReadAllBytes(_folder.At("model.onnx.data"));
        bytes[5] ^= 1;
        File.WriteAllBytes(_folder.At("model.onnx.data"), bytes);
        Assert.NotEqual(sha256, Backbone.Open(file).Sha256);
        File.WriteAllBytes(_folder.At("model.onnx.data"), bytes[..^4]);
        Assert.Contains("truncated", Assert.Throws<BadInputException>(() => Backbone.Open(file)).Message);
        File.Delete(_folder.At("model.onnx.data"));
        Assert.Contains("'model.onnx.data' is missing", Assert.Throws<BadInputException>(() => Backbone.Open(file)).Message);
    }

    [Fact]
    public void Open_ExternalDataOutsideItsFolder_IsRefused()
    {
        var m = new SmallModel();
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input))), 8, SmallModel.Classes));
        m.Model.Graph.Initializer[0].RawData = ByteString.Empty;
        TensorData.SetLocation(m.Model.Graph.Initializer[0], "../../etc/passwd", 0, 4);
        Assert.Contains("not beside the model", Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder))).Message);
    }

    /// <summary>Opens, cuts at the default and compares with the whole model's tensor, several photos at once.</summary>
    private Backbone AssertCut(SmallModel m, string feature, int dimension)
    {
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal(feature, backbone.Penultimate);
        Assert.Equal(SmallModel.Classes, backbone.Classes);
        var cut = backbone.Cut();
        Assert.Equal((dimension, null), (cut.Outputs[0].Dimension, cut.MaxBatch));
        var pixels = Probe.Pixels(backbone.Input.Shape(Batch), 5);
        SmallModel.AssertClose(m.RunFull(feature, pixels, backbone.Input.Shape(Batch)).Values, SmallModel.RunCut(cut, pixels, Batch));
        Assert.DoesNotContain(cut.Model.Graph.Initializer, i => i.Dims.Contains(SmallModel.Classes));
        return backbone;
    }

    private static TensorProto Half(TensorProto tensor, string name)
    {
        var halves = System
            .Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(tensor.RawData.Span)
            .ToArray()
            .SelectMany(v => BitConverter.GetBytes((System.Half)v))
            .ToArray();
        var half = new TensorProto
        {
            Name = name,
            DataType = (int)DataType.Float16,
            RawData = ByteString.CopyFrom(halves),
        };
        half.Dims.AddRange(tensor.Dims);
        return half;
    }
}
