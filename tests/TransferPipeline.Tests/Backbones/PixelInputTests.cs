using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Images;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Normalization in the graph against the exact path: the same float32 values, bit for bit, on the CPU provider.</summary>
public sealed class PixelInputTests
{
    private const int Size = 16;

    public static TheoryData<bool, bool, double> Forms =>
        new(
            from nhwc in (bool[])[false, true]
            from bgr in (bool[])[false, true]
            from divisor in (double[])[0, 128]
            select (nhwc, bgr, divisor)
        );

    [Theory]
    [MemberData(nameof(Forms))]
    public void Apply_GivesTheValuesOfTheExactPath(bool nhwc, bool bgr, double divisor)
    {
        var layout = nhwc ? TensorLayout.Nhwc : TensorLayout.Nchw;
        var preprocessing = new Preprocessing
        {
            ResizeShortSide = 20,
            CropWidth = Size,
            CropHeight = Size,
            Bgr = bgr,
            Offset = 127,
            Divisor = divisor,
        };
        var model = Flattener(layout);
        var (floats, bytes) = (new float[2 * 3 * Size * Size], new byte[2 * 3 * Size * Size]);
        var preprocessor = new Preprocessor(preprocessing);
        for (var i = 0; i < 2; i++)
        {
            var photo = Noise(i);
            preprocessor.Run(photo, floats.AsSpan(i * 3 * Size * Size, 3 * Size * Size), layout);
            preprocessor.RunBytes(photo, bytes.AsSpan(i * 3 * Size * Size, 3 * Size * Size));
        }

        var converted = PixelInput.Apply(model, preprocessing);
        Assert.True(converted.TakesBytes);
        using var session = new InferenceSession(converted.SerializeWithWeights());
        using var input = OrtValue.CreateTensorValueFromMemory(bytes, [2, Size, Size, 3]);
        using var options = new RunOptions();
        using var results = session.Run(options, [converted.InputName], [input], ["y"]);
        Assert.Equal(floats, results[0].GetTensorDataAsSpan<float>().ToArray());
    }

    /// <summary>
    /// In fp16 bytes become float16 at once. Whole offsets and powers of two lose nothing; other means and deviations are rounded.
    /// </summary>
    [Theory]
    [MemberData(nameof(Forms))]
    public void Apply_ToANetworkInHalf_StaysInHalfFromTheBytesOn(bool nhwc, bool bgr, double divisor)
    {
        var layout = nhwc ? TensorLayout.Nhwc : TensorLayout.Nchw;
        var preprocessing = new Preprocessing
        {
            ResizeShortSide = 20,
            CropWidth = Size,
            CropHeight = Size,
            Bgr = bgr,
            Offset = 127,
            Divisor = divisor,
        };
        var model = Flattener(layout);
        var half = HalfPrecision.Convert(model, _ => { });
        var (floats, bytes) = (new float[3 * Size * Size], new byte[3 * Size * Size]);
        var preprocessor = new Preprocessor(preprocessing);
        preprocessor.Run(Noise(0), floats, layout);
        preprocessor.RunBytes(Noise(0), bytes);

        var converted = PixelInput.Apply(half, preprocessing);
        Assert.Equal(
            ["Cast", "Sub", "Div", "Flatten", "Cast"],
            converted.Model.Graph.Node.Select(n => n.OpType).Where(o => o is not ("Gather" or "Transpose" or "Identity"))
        );
        using var session = new InferenceSession(converted.SerializeWithWeights());
        using var input = OrtValue.CreateTensorValueFromMemory(bytes, [1, Size, Size, 3]);
        using var options = new RunOptions();
        using var results = session.Run(options, [converted.InputName], [input], ["y"]);
        var values = results[0].GetTensorDataAsSpan<float>();
        for (var i = 0; i < values.Length; i++)
            Assert.InRange(values[i] - floats[i], divisor == 0 ? -0.003f : 0, divisor == 0 ? 0.003f : 0);
    }

    [Fact]
    public void Apply_ToAModelThatTakesBytes_LeavesItAlone()
    {
        var once = PixelInput.Apply(Flattener(TensorLayout.Nchw), new());
        Assert.Same(once, PixelInput.Apply(once, new()));
    }

    /// <summary>A network that hands its input through.</summary>
    private static CutModel Flattener(TensorLayout layout)
    {
        var proto = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "flat" },
        };
        proto.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        proto.Graph.Input.Add(
            layout == TensorLayout.Nchw
                ? GraphWriter.Declare("pixels", DataType.Float, -1, 3, Size, Size)
                : GraphWriter.Declare("pixels", DataType.Float, -1, Size, Size, 3)
        );
        var graph = new GraphWriter(proto);
        graph.Output(graph.Node("Flatten", ["pixels"]), "y", DataType.Float, -1, 3 * Size * Size);
        return new()
        {
            Model = proto,
            InputName = "pixels",
            Layout = layout,
            InputHeight = Size,
            InputWidth = Size,
            Outputs = [new(CutRequest.Default, "y", "y", 3 * Size * Size)],
            MaxBatch = null,
        };
    }

    private static RgbImage Noise(int seed)
    {
        var image = new RgbImage();
        image.Resize(23, 31);
        new Random(seed).NextBytes(image.Pixels);
        return image;
    }
}
