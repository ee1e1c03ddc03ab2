using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>The fp16 graph on the CPU provider, which casts around the kernels that it lacks, against the float32 graph.</summary>
public sealed class HalfPrecisionTests : IDisposable
{
    private const float Tolerance = 4e-3f;

    private readonly TempFolder _folder = new();
    private readonly List<string> _messages = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Convert_ConvolutionalNet_IsCloseAndHasNoFloatWeights()
    {
        var small = new SmallModel();
        var map = small.Body(small.Input);
        var pooled = small.Node("Flatten", small.Node("GlobalAveragePool", map));
        var cut = Cut(small, pooled);
        var half = Check(cut);
        Assert.All(Weights(half), w => Assert.Equal((int)DataType.Float16, w.DataType));
        Assert.True(half.TotalBytes < cut.TotalBytes * 0.75, $"{half.TotalBytes} bytes of {cut.TotalBytes}");
        Assert.Empty(_messages);
    }

    [Fact]
    public void Convert_OperatorsThatNeedFloat_KeepThem()
    {
        var small = new SmallModel(opset: 13);
        var map = small.Body(small.Input);
        // A hand-written layer normalization, and an upsampling.
        var mean = small.Node("ReduceMean", [map], ("axes", new long[] { 1, 2, 3 }));
        var centred = small.Node("Sub", map, mean);
        var deviation = small.Node(
            "Sqrt",
            small.Node(
                "Add",
                small.Node("ReduceMean", [small.Node("Pow", centred, small.Scalar(2))], ("axes", new long[] { 1, 2, 3 })),
                small.Scalar(1e-5f)
            )
        );
        var normal = small.Node("Div", centred, deviation);
        var larger = small.Node("Resize", normal, "", small.Graph.Constant("scales", [1f, 1, 2, 2], 4));
        var cut = Cut(small, small.Node("Flatten", small.Node("GlobalAveragePool", small.Node("Mul", larger, larger))));
        var half = Check(cut).Model;
        var casts = half.Graph.Node.Count(n => n.OpType == "Cast");
        Assert.InRange(casts, 3, 12);
        Assert.Contains(half.Graph.Initializer, i => i.DataType == (int)DataType.Float);
    }

    [Theory]
    [InlineData(11, (int)DataType.Float)]
    [InlineData(12, (int)DataType.Float16)]
    public void Convert_Clip_KeepsFloatWhereGpusHaveNoOtherKernel(int opset, int limits)
    {
        var small = new SmallModel(opset);
        var clipped = small.Node(
            "Clip",
            small.Node("Conv", small.Input, small.Weights(0.3f, 4, 3, 3, 3)),
            small.Scalar(-1),
            small.Scalar(1)
        );
        var half = Check(Cut(small, small.Node("Flatten", clipped))).Model;
        var clip = Assert.Single(half.Graph.Node, n => n.OpType == "Clip");
        Assert.Equal(limits, Assert.Single(half.Graph.Initializer, i => i.Name == clip.Input[1]).DataType);
        Assert.Equal((int)DataType.Float16, Assert.Single(half.Graph.Initializer, i => i.Dims.Count == 4).DataType);
    }

    [Fact]
    public void Convert_WeightsBeyondTheRange_AreClampedWithAMessage()
    {
        var small = new SmallModel();
        var scaled = small.Node("Mul", small.Body(small.Input), small.Scalar(1e-6f));
        var large = small.Node(
            "Mul",
            small.Node("Flatten", small.Node("GlobalAveragePool", scaled)),
            small.Graph.Constant("large", [1e5f], 1)
        );
        HalfPrecision.Convert(Cut(small, large), _messages.Add);
        Assert.Contains("1 weights are beyond 65504", Assert.Single(_messages), StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_LimitsThatMeanNone_AreNoWeightsBeyondTheRange()
    {
        var small = new SmallModel();
        var clipped = small.Node("Clip", small.Body(small.Input), small.Scalar(0), small.Scalar(float.MaxValue));
        Check(Cut(small, small.Node("Flatten", clipped)));
        Assert.Empty(_messages);
    }

    [Fact]
    public void Convert_Quantized_IsAUsageError()
    {
        var small = new SmallModel();
        var zero = small.Bytes(DataType.Uint8, [0]);
        var quantized = small.Node("QuantizeLinear", small.Body(small.Input), small.Scalar(0.05f), zero);
        var error = Assert.Throws<UsageException>(() =>
            HalfPrecision.Convert(
                Cut(small, small.Node("Flatten", small.Node("DequantizeLinear", quantized, small.Scalar(0.05f), zero))),
                _messages.Add
            )
        );
        Assert.Contains("quantized", error.Message, StringComparison.Ordinal);
    }

    private CutModel Check(CutModel cut)
    {
        var half = HalfPrecision.Convert(cut, _messages.Add);
        var pixels = Probe.Pixels([2, 3, SmallModel.Size, SmallModel.Size]);
        SmallModel.AssertClose(SmallModel.RunCut(cut, pixels, 2), SmallModel.RunCut(half, pixels, 2), Tolerance);
        return half;
    }

    private CutModel Cut(SmallModel small, string feature)
    {
        var shape = small
            .RunFull(feature, Probe.Pixels([1, 3, SmallModel.Size, SmallModel.Size]), 1, 3, SmallModel.Size, SmallModel.Size)
            .Shape;
        small.Output(small.Gemm(feature, (int)shape[1], SmallModel.Classes));
        return Backbone.Open(small.Save(_folder)).Cut();
    }

    private static IEnumerable<TensorProto> Weights(CutModel model) =>
        model.Model.Graph.Initializer.Where(i => i.DataType is (int)DataType.Float or (int)DataType.Float16);
}
