using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using TransferPipeline.Quantization;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Quantization;

/// <summary>Small classifiers of photos of 12 x 12 pixels around one pattern of operators, with random weights.</summary>
internal sealed class SmallNetworks
{
    public const int Side = 12;
    private readonly ModelProto _model = new()
    {
        IrVersion = 8,
        Graph = new() { Name = "small" },
    };
    private readonly GraphWriter _graph;
    private ulong _drawn;

    private SmallNetworks(int opset)
    {
        _model.OpsetImport.Add(new OperatorSetIdProto { Version = opset });
        _model.Graph.Input.Add(GraphWriter.Declare("input", DataType.Float, -1, 3, Side, Side));
        _graph = new(_model);
    }

    /// <summary>Conv and Relu, then the pattern on its 8 channels, then Conv, average and a classifier.</summary>
    public static byte[] Make(string pattern, int opset = 13)
    {
        var net = new SmallNetworks(opset);
        var map = net.Relu(net.Conv("input", 3, 8, 3, pads: 1));
        var vector = pattern switch
        {
            "conv-relu" => net.Pool(net.Relu(net.Conv(map, 8, 8, 3, pads: 1))),
            "conv-clip" => net.Pool(net.Clip(net.Conv(map, 8, 8, 3, pads: 1), 0, 0.7f)),
            "conv-symmetric-clip" => net.Pool(net.Clip(net.Conv(map, 8, 8, 3, pads: 1), -0.5f, 0.5f)),
            "conv-linear" => net.Pool(net.Conv(map, 8, 8, 1)),
            "conv-without-bias" => net.Pool(net.Relu(net.Conv(map, 8, 8, 3, bias: false))),
            "conv-strided" => net.Pool(net.Relu(net.Conv(map, 8, 8, 3, pads: 1, stride: 2))),
            "depthwise" => net.Pool(net.Relu(net.Conv(map, 8, 8, 3, pads: 1, group: 8))),
            "grouped" => net.Pool(net.Relu(net.Conv(map, 8, 8, 3, pads: 1, group: 2))),
            "add" => net.Pool(net.Node("Add", [net.Conv(map, 8, 8, 1), net.Conv(map, 8, 8, 3, pads: 1)])),
            "add-relu" => net.Pool(net.Relu(net.Node("Add", [net.Conv(map, 8, 8, 1), map]))),
            "add-broadcast" => net.Pool(net.Conv(net.Relu(net.Node("Add", [net.Conv(map, 8, 8, 1), net.Conv(map, 8, 1, 1)])), 8, 8, 1)),
            "mul" => net.Pool(net.Node("Mul", [net.Relu(net.Conv(map, 8, 8, 1)), net.Node("Sigmoid", [net.Conv(map, 8, 8, 1)])])),
            "squeeze-excite" => net.Pool(net.SqueezeExcite(map)),
            "concat" => net.Pool(net.Concat(net.Relu(net.Conv(map, 8, 4, 1)), net.Conv(map, 8, 4, 3, pads: 1))),
            "max-pool" => net.Pool(net._graph.Node("MaxPool", [map], ("kernel_shape", (long[])[2, 2]), ("strides", (long[])[2, 2]))),
            "average-pool" => net.Pool(
                net._graph.Node("AveragePool", [map], ("kernel_shape", (long[])[2, 2]), ("strides", (long[])[2, 2]))
            ),
            "leaky-relu" => net.Pool(net._graph.Node("LeakyRelu", [net.Conv(map, 8, 8, 1)], ("alpha", 0.1f))),
            "gemm" => net.Relu(net.Gemm(net.Relu(net.Gemm(net.Flat(net.MaxPool(map)), 8 * 36, 16)), 16, 12)),
            "gemm-not-transposed" => net.Relu(net.Gemm(net.Relu(net.Gemm(net.Flat(net.MaxPool(map)), 8 * 36, 16, false)), 16, 12, false)),
            "matmul" => net.Relu(net.Node("MatMul", [net.Flat(net.MaxPool(map)), net.Weights(0.1, 8 * 36, 12)])),
            "batch-norm" => net.Pool(net.Relu(net.BatchNorm(net.Conv(map, 8, 8, 3, pads: 1), 8))),
            _ => throw new ArgumentException(pattern, nameof(pattern)),
        };
        var features = pattern is "gemm" or "gemm-not-transposed" or "matmul" ? 12 : 6;
        net._graph.Output(net.Gemm(vector, features, 10), "logits", DataType.Float, -1, 10);
        return net._model.ToByteArray();
    }

    /// <summary>Pixels of photos with structure: smooth waves and some noise.</summary>
    public static CalibrationPhotos Photos(int count) =>
        new(
            count,
            () =>
                (photo, pixels) =>
                {
                    var random = RandomStream.OfDraws(3, (ulong)photo);
                    for (var i = 0; i < pixels.Length; i++)
                        pixels[i] = (float)(Math.Sin((i % Side * 0.7) + (i / Side * 0.4) + photo) + (0.3 * random.NormalAt((ulong)i)));
                }
        );

    /// <summary>The network made ready to be quantized.</summary>
    public static FloatNetwork Prepare(TempFolder folder, byte[] onnx)
    {
        var file = folder.At($"{Guid.NewGuid():N}.onnx");
        File.WriteAllBytes(file, onnx);
        return FloatNetwork.Prepare(file, new PhotoSize(0, 0), "");
    }

    private string Conv(string input, int from, int to, int kernel, int pads = 0, int stride = 1, int group = 1, bool bias = true)
    {
        var weights = Weights(1.5 / Math.Sqrt((double)from / group * kernel * kernel), to, from / group, kernel, kernel);
        string[] inputs = bias ? [input, weights, Weights(0.1, to)] : [input, weights];
        return _graph.Node(
            "Conv",
            inputs,
            ("kernel_shape", (long[])[kernel, kernel]),
            ("pads", (long[])[pads, pads, pads, pads]),
            ("strides", (long[])[stride, stride]),
            ("group", (long)group)
        );
    }

    private string Gemm(string input, int from, int to, bool transposed = true) =>
        transposed
            ? _graph.Node("Gemm", [input, Weights(1.5 / Math.Sqrt(from), to, from), Weights(0.1, to)], ("transB", 1L))
            : _graph.Node("Gemm", [input, Weights(1.5 / Math.Sqrt(from), from, to), Weights(0.1, to)]);

    private string BatchNorm(string input, int channels)
    {
        float[] variance = [.. Enumerable.Range(0, channels).Select(i => 0.5f + (0.1f * i))];
        return _graph.Node(
            "BatchNormalization",
            [input, Weights(1, channels), Weights(0.2, channels), Weights(0.2, channels), _graph.Constant("variance", variance, channels)]
        );
    }

    private string SqueezeExcite(string map)
    {
        var gate = _graph.Node("GlobalAveragePool", [map]);
        gate = Node("Sigmoid", [Conv(Relu(Conv(gate, 8, 4, 1)), 4, 8, 1)]);
        return Node("Mul", [map, gate]);
    }

    private string Pool(string map) => Flat(_graph.Node("GlobalAveragePool", [Relu(Conv(map, 8, 6, 1))]));

    private string MaxPool(string map) => _graph.Node("MaxPool", [map], ("kernel_shape", (long[])[2, 2]), ("strides", (long[])[2, 2]));

    private string Flat(string map) => _graph.Node("Flatten", [map], ("axis", 1L));

    private string Relu(string map) => Node("Relu", [map]);

    private string Concat(params string[] maps) => _graph.Node("Concat", maps, ("axis", 1L));

    private string Clip(string map, float low, float high) =>
        _graph.Opset >= 11
            ? Node("Clip", [map, _graph.Constant("low", [low]), _graph.Constant("high", [high])])
            : _graph.Node("Clip", [map], ("min", low), ("max", high));

    private string Node(string op, string[] inputs) => _graph.Node(op, inputs);

    private string Weights(double deviation, params long[] dims)
    {
        var random = RandomStream.OfDraws(11);
        var values = new float[dims.Aggregate(1L, (product, d) => product * d)];
        foreach (ref var value in values.AsSpan())
            value = (float)(deviation * random.NormalAt(_drawn++));
        return _graph.Constant("w", values, dims);
    }
}
