using TransferPipeline.Backbones;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>The three forms of 8-bit classifiers: Q/DQ pairs, QLinear operators, and integer products with dynamic scales.</summary>
public sealed class QuantizedPatternTests : IDisposable
{
    private const int Batch = 3;
    private const float Scale = 0.01f;
    private const byte ZeroPoint = 20;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Cut_QuantizeDequantizePairs_IsTheFloatTensorBeforeThem()
    {
        var m = new SmallModel(13);
        var feature = Feature(m);
        var weights = m.Node("DequantizeLinear", Weights(m, SmallModel.Classes, 8), m.Scalar(0.02f), m.Bytes(DataType.Int8, [0]));
        var logits = m.Node("Gemm", [QuantizeDequantize(m, feature), weights, m.Weights(0.1f, SmallModel.Classes)], ("transB", 1L));
        m.Output(QuantizeDequantize(m, logits));
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal((feature, SmallModel.Classes), (backbone.Penultimate, backbone.Classes));
        AssertVectors(m, backbone, feature, values => values);
    }

    [Fact]
    public void Cut_QLinearMatMulOnEightBitTensor_DequantizesIt()
    {
        var m = new SmallModel(13);
        var map = m.Node("GlobalAveragePool", m.Body(m.Input));
        var feature = m.Node("Flatten", Quantize(m, map));
        var product = m.Node(
            "QLinearMatMul",
            feature,
            m.Scalar(Scale),
            m.Bytes(DataType.Uint8, [ZeroPoint]),
            Weights(m, 8, SmallModel.Classes),
            m.Scalar(0.02f),
            m.Bytes(DataType.Int8, [0]),
            m.Scalar(0.05f),
            m.Bytes(DataType.Uint8, [128])
        );
        m.Output(m.Node("DequantizeLinear", product, m.Scalar(0.05f), m.Bytes(DataType.Uint8, [128])));
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal(feature, backbone.Penultimate);
        AssertVectors(m, backbone, map, values => Math.Clamp(MathF.Round(values / Scale) + ZeroPoint, 0, 255) * Scale - ZeroPoint * Scale);
    }

    [Fact]
    public void Cut_QLinearConvClassifier_IsItsFloatSource()
    {
        var m = new SmallModel(13);
        var feature = m.Node("GlobalAveragePool", m.Body(m.Input));
        var conv = m.Node(
            "QLinearConv",
            Quantize(m, feature),
            m.Scalar(Scale),
            m.Bytes(DataType.Uint8, [ZeroPoint]),
            Weights(m, SmallModel.Classes, 8, 1, 1),
            m.Scalar(0.02f),
            m.Bytes(DataType.Int8, [0]),
            m.Scalar(0.05f),
            m.Bytes(DataType.Uint8, [128])
        );
        m.Output(m.Node("Flatten", m.Node("DequantizeLinear", conv, m.Scalar(0.05f), m.Bytes(DataType.Uint8, [128]))));
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal((feature, SmallModel.Classes), (backbone.Penultimate, backbone.Classes));
        AssertVectors(m, backbone, feature, values => values);
    }

    [Fact]
    public void Cut_MatMulInteger_IsTheTensorThatIsQuantizedDynamically()
    {
        var m = new SmallModel(13);
        var feature = Feature(m);
        var quantized = m.Graph.Nodes("DynamicQuantizeLinear", "", 3, [feature]);
        var product = m.Node("MatMulInteger", quantized[0], Weights(m, 8, SmallModel.Classes), quantized[2], m.Bytes(DataType.Int8, [0]));
        var scale = m.Node("Mul", quantized[1], m.Scalar(0.02f));
        var logits = m.Node("Mul", m.Node("Cast", [product], ("to", 1L)), scale);
        m.Output(m.Node("Add", logits, m.Weights(0.1f, SmallModel.Classes)));
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal((feature, SmallModel.Classes), (backbone.Penultimate, backbone.Classes));
        AssertVectors(m, backbone, feature, values => values);
    }

    private static string Feature(SmallModel m) => m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));

    private static string Quantize(SmallModel m, string x) =>
        m.Node("QuantizeLinear", x, m.Scalar(Scale), m.Bytes(DataType.Uint8, [ZeroPoint]));

    private static string QuantizeDequantize(SmallModel m, string x) =>
        m.Node("DequantizeLinear", Quantize(m, x), m.Scalar(Scale), m.Bytes(DataType.Uint8, [ZeroPoint]));

    private static string Weights(SmallModel m, params long[] dims) =>
        m.Bytes(DataType.Int8, [.. m.Random(60, dims).Select(v => (byte)(sbyte)v)], dims);

    private static void AssertVectors(SmallModel m, Backbone backbone, string tensor, Func<float, float> expected)
    {
        var cut = backbone.Cut();
        Assert.Null(cut.MaxBatch);
        var pixels = Probe.Pixels(backbone.Input.Shape(Batch), 5);
        var (values, _) = m.RunFull(tensor, pixels, backbone.Input.Shape(Batch));
        SmallModel.AssertClose([.. values.Select(expected)], SmallModel.RunCut(cut, pixels, Batch));
    }
}
