using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Images;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Builds small image classifiers node by node, in the forms that exporters write, and runs them in full.</summary>
internal sealed class SmallModel
{
    public const int Size = 12;
    public const int Classes = 7;

    private readonly ModelProto _model;
    private readonly GraphWriter _graph;
    private int _seed = 11;

    public SmallModel(int opset = 17, string input = "input", DataType type = DataType.Float, params long[] shape)
    {
        _model = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "small" },
        };
        _model.OpsetImport.Add(new OperatorSetIdProto { Version = opset });
        Input = input;
        InputShape = shape.Length == 0 ? [-1, 3, Size, Size] : shape;
        _model.Graph.Input.Add(GraphWriter.Declare(input, type, InputShape));
        _graph = new GraphWriter(_model);
    }

    public ModelProto Model => _model;

    /// <summary>A convolutional classifier: body, average, Gemm.</summary>
    public static SmallModel Plain(int opset = 17, DataType type = DataType.Float, params long[] shape)
    {
        var m = new SmallModel(opset, "input", type, shape);
        return m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input))), 8, Classes));
    }

    /// <summary><see cref="Plain"/> written to a folder, cut at its penultimate layer.</summary>
    public static CutModel Cut(TempFolder folder) => Backbone.Open(Plain().Save(folder)).Cut();

    public GraphWriter Graph => _graph;

    public string Input { get; }

    public long[] InputShape { get; }

    /// <summary>A float initializer of pseudo-random values in -scale..scale.</summary>
    public string Weights(float scale, params long[] dims) => _graph.Constant("w", Random(scale, dims), dims);

    public float[] Random(float scale, params long[] dims) => Array.ConvertAll(Probe.Pixels(dims, _seed++), v => v * scale);

    /// <summary>An initializer of 8-bit values.</summary>
    public string Bytes(DataType type, byte[] values, params long[] dims)
    {
        var tensor = new TensorProto
        {
            Name = _graph.Unique("q"),
            DataType = (int)type,
            RawData = ByteString.CopyFrom(values),
        };
        tensor.Dims.AddRange(dims);
        _model.Graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    public string Scalar(float value) => _graph.Constant("scalar", [value]);

    public string Shape(params long[] values) => _graph.Constant("shape", values, values.Length);

    public string Node(string op, params string[] inputs) => _graph.Node(op, inputs);

    public string Node(string op, string[] inputs, params (string, object)[] attributes) => _graph.Node(op, inputs, attributes);

    /// <summary>A 3x3 convolution with bias, stride 2, and a Relu.</summary>
    public string ConvRelu(string x, int from, int to) =>
        Node(
            "Relu",
            Node(
                "Conv",
                [x, Weights(0.4f, to, from, 3, 3), Weights(0.1f, to)],
                ("strides", new long[] { 2, 2 }),
                ("pads", new long[] { 1, 1, 1, 1 })
            )
        );

    /// <summary>Convolutions to a map of 8 x 3 x 3.</summary>
    public string Body(string x) => ConvRelu(ConvRelu(x, 3, 6), 6, 8);

    public string Gemm(string x, int from, int to) => Node("Gemm", [x, Weights(0.5f, to, from), Weights(0.1f, to)], ("transB", 1L));

    /// <summary>Declares <paramref name="tensor"/> as an output (-1 = N).</summary>
    public SmallModel Output(string tensor, params long[] dims)
    {
        _model.Graph.Output.Add(
            dims.Length == 0
                ? GraphWriter.Declare(tensor, DataType.Float, InputShape[0], Classes)
                : GraphWriter.Declare(tensor, DataType.Float, dims)
        );
        return this;
    }

    public string Save(TempFolder folder, string name = "model.onnx")
    {
        var file = folder.At(name);
        File.WriteAllBytes(file, _model.ToByteArray());
        return file;
    }

    /// <summary>The given tensor for a batch of pixels, from the whole model.</summary>
    public (float[] Values, long[] Shape) RunFull(string tensor, float[] pixels, params long[] shape)
    {
        var model = _model.Clone();
        if (model.Graph.Output.All(o => o.Name != tensor))
            model.Graph.Output.Add(new ValueInfoProto { Name = tensor });
        return Run(model.ToByteArray(), Input, tensor, pixels, shape);
    }

    public static (float[] Values, long[] Shape) Run(byte[] onnx, string input, string output, float[] pixels, params long[] shape)
    {
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        using var session = new InferenceSession(onnx, options);
        using var value = OrtValue.CreateTensorValueFromMemory(pixels, shape);
        using var run = new RunOptions();
        using var results = session.Run(run, [input], [value], [output]);
        return (results[0].GetTensorDataAsSpan<float>().ToArray(), results[0].GetTensorTypeAndShape().Shape);
    }

    /// <summary>The cut's first vector for each photo of a batch, in batches of at most its limit.</summary>
    public static float[] RunCut(CutModel cut, float[] pixels, int count, int output = 0)
    {
        var size = 3 * cut.InputHeight * cut.InputWidth;
        var step = cut.AtMost(count);
        var vectors = new List<float>();
        for (var start = 0; start < count; start += step)
        {
            long[] shape =
                cut.Layout == TensorLayout.Nchw ? [step, 3, cut.InputHeight, cut.InputWidth] : [step, cut.InputHeight, cut.InputWidth, 3];
            var (values, shapeOut) = Run(
                cut.SerializeWithWeights(),
                cut.InputName,
                cut.Outputs[output].Name,
                pixels[(start * size)..((start + step) * size)],
                shape
            );
            Assert.Equal([step, cut.Outputs[output].Dimension], shapeOut);
            vectors.AddRange(values);
        }

        return [.. vectors];
    }

    public static void AssertClose(float[] expected, float[] actual, float tolerance = 1e-5f)
    {
        Assert.Equal(expected.Length, actual.Length);
        var largest = expected.Max(Math.Abs);
        Assert.True(largest > 0, "all expected values are 0");
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * largest, $"value {i}: {actual[i]}, expected {expected[i]}");
    }
}
