using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Images;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Arithmetic on pixels in the forms of Keras, TensorFlow and others: reversed, in parts, cropped, of computed numbers.</summary>
public sealed class PixelTraceTests : IDisposable
{
    private const long Least = long.MinValue;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("reversed, less Caffe's means", 1, false)]
    [InlineData("reversed by all axes, less Caffe's means", 1, false)]
    [InlineData("reversed by Gather, less Caffe's means", 1, false)]
    [InlineData("less Caffe's means", 1, true)]
    [InlineData("less Caffe's means, by a factor", 1, true)]
    [InlineData("255 x, less Caffe's means", 255, true)]
    [InlineData("255 x, split, less means, joined reversed", 255, false)]
    [InlineData("split, less means, joined", 1, true)]
    [InlineData("each channel by Slice", 1, false)]
    [InlineData("each channel by Gather", 255, false)]
    [InlineData("transform_input", 0, false)]
    [InlineData("clipped, x / 255", 1, false)]
    [InlineData("clipped to 0 and 255", 1, false)]
    [InlineData("rounded, x / 255", 1, false)]
    [InlineData("padded, x / 255", 1, false)]
    [InlineData("cropped, x / 255", 1, false)]
    [InlineData("reshaped, x / 255", 1, false)]
    [InlineData("a new axis, x / 255", 1, false)]
    [InlineData("sum with means", 1, false)]
    [InlineData("numbers that are computed", 1, false)]
    [InlineData("deviations that are computed", 1, false)]
    [InlineData("x / 255 in two places", 1, false)]
    [InlineData("x / 255 in front of a learned normalization", 1, false)]
    [InlineData("convolution that reverses", 1, false)]
    [InlineData("full convolution", 0, false)]
    public void Resolve_FormOfTheArithmetic_GivesTheUnit(string form, double divisor, bool bgr)
    {
        var m = new SmallModel();
        var x = m.Input;
        string One(double value) => m.Scalar((float)value);
        string Three(params float[] values) => m.Graph.Constant("c", values, 1, 3, 1, 1);
        string Caffe() => Three(103.94f, 116.78f, 123.68f);
        string[] Parts(string of) => m.Graph.Nodes("Split", "", 3, [of], ("axis", 1L));
        string Range(string of, long first, long end, long step) =>
            m.Node("Slice", of, m.Shape(first), m.Shape(end), m.Shape(1), m.Shape(step));
        string Joined(IEnumerable<string> parts) => m.Node("Concat", [.. parts], ("axis", 1L));
        var each = Enumerable.Range(0, 3);
        double[] mean = [0.485, 0.456, 0.406],
            std = [0.229, 0.224, 0.225];
        x = form switch
        {
            "reversed, less Caffe's means" => m.Node("Sub", Range(x, -1, Least, -1), Caffe()),
            "reversed by all axes, less Caffe's means" => m.Node(
                "Sub",
                m.Node(
                    "Slice",
                    x,
                    m.Shape(0, -1, 0, 0),
                    m.Shape(long.MaxValue, Least, long.MaxValue, long.MaxValue),
                    m.Shape(0, 1, 2, 3),
                    m.Shape(1, -1, 1, 1)
                ),
                Caffe()
            ),
            "reversed by Gather, less Caffe's means" => m.Node("Sub", m.Node("Gather", [x, m.Shape(2, 1, 0)], ("axis", 1L)), Caffe()),
            "less Caffe's means" => m.Node("Sub", x, Caffe()),
            "less Caffe's means, by a factor" => m.Node("Mul", m.Node("Sub", x, Caffe()), One(0.017)),
            "255 x, less Caffe's means" => m.Node("Sub", m.Node("Mul", x, One(255)), Caffe()),
            "255 x, split, less means, joined reversed" => Joined(
                Parts(m.Node("Mul", x, One(255))).Zip([123.68, 116.78, 103.94], (part, value) => m.Node("Sub", part, One(value))).Reverse()
            ),
            "split, less means, joined" => Joined(Parts(x).Zip([103.94, 116.78, 123.68], (part, value) => m.Node("Sub", part, One(value)))),
            "each channel by Slice" => Joined(
                each.Select(c => m.Node("Div", m.Node("Sub", m.Node("Div", Range(x, c, c + 1, 1), One(255)), One(mean[c])), One(std[c])))
            ),
            "each channel by Gather" => Joined(
                each.Select(c =>
                    m.Node(
                        "Unsqueeze",
                        [
                            m.Node(
                                "Div",
                                m.Node("Sub", m.Node("Gather", [x, m.Graph.Constant("i", [(long)c])], ("axis", 1L)), One(mean[c])),
                                One(std[c])
                            ),
                        ],
                        ("axes", new long[] { 1 })
                    )
                )
            ),
            "transform_input" => Joined(
                each.Select(c => m.Node("Add", m.Node("Mul", Range(x, c, c + 1, 1), One(std[c] / 0.5)), One((mean[c] - 0.5) / 0.5)))
            ),
            "clipped, x / 255" => m.Node("Div", m.Node("Clip", x, One(0), One(255)), One(255)),
            "clipped to 0 and 255" => m.Node("Clip", x, One(0), One(255)),
            "rounded, x / 255" => m.Node("Mul", m.Node("Round", x), One(1 / 255.0)),
            "padded, x / 255" => m.Node("Div", m.Node("Pad", x, m.Shape(0, 0, 1, 1, 0, 0, 1, 1)), One(255)),
            "cropped, x / 255" => m.Node("Div", m.Node("Slice", x, m.Shape(1, 1), m.Shape(11, 11), m.Shape(2, 3)), One(255)),
            "reshaped, x / 255" => m.Node("Div", m.Node("Reshape", x, m.Shape(-1, 3, 12, 12)), One(255)),
            "a new axis, x / 255" => m.Node(
                "Squeeze",
                [m.Node("Div", m.Node("Unsqueeze", [x], ("axes", new long[] { 1 })), One(255))],
                ("axes", new long[] { 1 })
            ),
            "sum with means" => m.Node("Sum", x, Three(-123.68f, -116.78f, -103.94f)),
            "numbers that are computed" => m.Node(
                "Mul",
                x,
                m.Node("Div", One(1), m.Node("Cast", [m.Graph.Constant("n", [255L])], ("to", 1L)))
            ),
            "deviations that are computed" => m.Node(
                "Div",
                m.Node("Sub", m.Node("Mul", x, One(1 / 255.0)), Three(0.485f, 0.456f, 0.406f)),
                m.Node("Max", m.Node("Sqrt", Three(0.0524f, 0.0502f, 0.0506f)), One(1e-7))
            ),
            "x / 255 in two places" => m.Node("Add", m.Node("Div", x, One(255)), m.Node("Div", x, One(255))),
            "x / 255 in front of a learned normalization" => m.Node(
                "BatchNormalization",
                [
                    m.Node("Div", x, One(255)),
                    m.Graph.Constant("v", [12f, 0.3f, 5], 3),
                    m.Graph.Constant("v", [0f, 3, 0], 3),
                    m.Graph.Constant("v", [0.3f, 0.2f, 0.4f], 3),
                    m.Graph.Constant("v", [0.1f, 0.1f, 0.1f], 3),
                ]
            ),
            "convolution that reverses" => m.Node(
                "Conv",
                x,
                m.Graph.Constant("w", [0, 0, 1 / 255f, 0, 1 / 255f, 0, 1 / 255f, 0, 0], 3, 3, 1, 1),
                m.Graph.Constant("b", [-0.4f, -0.45f, -0.48f], 3)
            ),
            "full convolution" => m.Node("Conv", x, m.Weights(0.4f, 3, 3, 1, 1)),
            _ => throw new ArgumentOutOfRangeException(nameof(form), form, null),
        };
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(x))), 8, SmallModel.Classes));
        var model = Resolve(m);
        Assert.Null(model.Question);
        var p = model.Preprocessing;
        // The default normalizes by mean and deviation, and has no divisor.
        Assert.Equal((0, divisor, bgr), (p.Offset, p.Divisor, p.Bgr));
    }

    [Theory]
    [InlineData(DataType.Uint8, 1f, 0, 0, 1)]
    [InlineData(DataType.Uint8, 1 / 255f, 0, 0, 255)]
    [InlineData(DataType.Int8, 1 / 255f, -128, 0, 255)]
    [InlineData(DataType.Uint8, 1 / 127.5f, 128, 127.5, 127.5)]
    [InlineData(DataType.Int8, 1 / 127.5f, 0, 127.5, 127.5)]
    [InlineData(DataType.Uint8, 0.0186f, 114, 0, 0)]
    public void Resolve_QuantizedPixels_AreInTheRangeOfTheQuantization(object type, float step, int zero, double offset, double divisor)
    {
        var m = Quantized((DataType)type, step, zero);
        Assert.Equal((offset, divisor), Resolve(m).Preprocessing is var p ? (p.Offset, p.Divisor) : default);
        // The photos that a quantization was made with prove less than what a publisher states.
        File.WriteAllText(_folder.At("preprocessor_config.json"), """{"size":12,"image_mean":[0.5],"image_std":[0.25]}""");
        Assert.Equal((0, 0.25), Resolve(m).Preprocessing is var stated ? (stated.Divisor, stated.Std[0]) : default);
    }

    [Fact]
    public void Resolve_ArithmeticThatContradictsItself_IsAQuestion()
    {
        var m = new SmallModel();
        var ways = new[] { m.Node("Div", m.Input, m.Scalar(255)), m.Node("Sub", m.Node("Mul", m.Input, m.Scalar(2)), m.Scalar(1)) };
        var maps = ways.Select(m.Body).ToArray();
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Node("Add", maps))), 8, SmallModel.Classes));
        Assert.Contains("the unit of its pixels is not clear", Resolve(m).Question);
    }

    [Theory]
    [InlineData(DataType.Float)]
    [InlineData(DataType.Uint8)]
    public void Open_OpenSizesAndArithmeticBeforeTheTranspose_IsNhwc(object type)
    {
        var m = new SmallModel(13, "x", (DataType)type, -1, -1, -1, -1);
        var x = m.Node("Cast", [m.Input], ("to", 1L));
        x = m.Node("Sub", m.Node("Mul", x, m.Scalar(1 / 127.5f)), m.Scalar(1));
        x = m.Node("Transpose", [x], ("perm", new long[] { 0, 3, 1, 2 }));
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(x))), 8, SmallModel.Classes), -1, SmallModel.Classes);
        var backbone = Backbone.Open(m.Save(_folder), 20);
        Assert.Equal((TensorLayout.Nhwc, PixelUnit.Levels), (backbone.Input.Layout, backbone.Arithmetic.Unit));
    }

    private static SmallModel Quantized(DataType type, float step, int zero)
    {
        var m = new SmallModel();
        var x = m.Input;
        string[] numbers = [m.Scalar(step), m.Bytes(type, [(byte)zero])];
        x = m.Node("DequantizeLinear", [m.Node("QuantizeLinear", [x, .. numbers]), .. numbers]);
        return m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(x))), 8, SmallModel.Classes));
    }

    private ResolvedModel Resolve(SmallModel m) => PhotoVectors.EmptyStore(_folder).Resolve(m.Save(_folder));
}
