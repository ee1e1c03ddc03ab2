using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Quantization;

/// <summary>Values and shape of a tensor in double.</summary>
internal sealed record ReferenceTensor(double[] Values, int[] Shape);

/// <summary>A slow interpreter of small networks, in double, one loop for each sum; levels are rounded as ONNX says.</summary>
internal static class ReferenceNetwork
{
    public static ReferenceTensor Run(ModelProto model, float[] pixels, int[] shape, string output)
    {
        var tensors = new Dictionary<string, ReferenceTensor>(StringComparer.Ordinal)
        {
            ["input"] = new(Array.ConvertAll(pixels, p => (double)p), shape),
        };
        foreach (var constant in model.Graph.Initializer)
            tensors[constant.Name] = Constant(constant);
        foreach (var node in model.Graph.Node)
        {
            if (node.OpType == "Constant")
                tensors[node.Output[0]] = Constant(node.Attribute[0].T);
            else
                tensors[node.Output[0]] = Apply(node, [.. node.Input.Select(i => i.Length == 0 ? null! : tensors[i])]);
            if (node.Output[0] == output)
                return tensors[output];
        }

        return tensors[output];
    }

    private static ReferenceTensor Constant(TensorProto tensor)
    {
        double[] values = (DataType)tensor.DataType switch
        {
            DataType.Int8 => [.. tensor.RawData.Select(b => (double)(sbyte)b)],
            DataType.Uint8 => [.. tensor.RawData.Select(b => (double)b)],
            _ => TensorData.Numbers(tensor),
        };
        return new(values, [.. tensor.Dims.Select(d => (int)d)]);
    }

    private static ReferenceTensor Apply(NodeProto node, ReferenceTensor[] x) =>
        node.OpType switch
        {
            "QuantizeLinear" => Map(x[0], v => Math.Clamp(Math.Round(v / x[1].Values[0]) + x[2].Values[0], 0, 255)),
            "DequantizeLinear" => Dequantize(x[0], x[1], x[2], (int)node.Int("axis", 1)),
            "Max" => Map(x[0], v => Math.Max(v, x[1].Values[0])),
            "Relu" => Map(x[0], v => Math.Max(v, 0)),
            "Clip" => Map(x[0], v => Math.Min(Math.Max(v, x[1].Values[0]), x[2].Values[0])),
            "Sigmoid" => Map(x[0], v => 1 / (1 + Math.Exp(-v))),
            "LeakyRelu" => Map(x[0], v => v < 0 ? v * node.Attribute("alpha")!.F : v),
            "Add" => Broadcast(x[0], x[1], (a, b) => a + b),
            "Mul" => Broadcast(x[0], x[1], (a, b) => a * b),
            "Flatten" or "Reshape" => new(x[0].Values, [x[0].Shape[0], x[0].Values.Length / x[0].Shape[0]]),
            "Concat" => Concat(x),
            "Conv" => Conv(node, x),
            "Gemm" => Gemm(x[0], x[1], x.Length > 2 ? x[2] : null, node.Int("transB", 0) != 0),
            "MatMul" => Gemm(x[0], x[1], null, false),
            "GlobalAveragePool" => Pool(x[0], x[0].Shape[2], x[0].Shape[3], 1, w => w.Average()),
            "AveragePool" => Pool(x[0], 2, 2, 2, w => w.Average()),
            "MaxPool" => Pool(x[0], 2, 2, 2, w => w.Max()),
            _ => throw new NotSupportedException(node.OpType),
        };

    private static ReferenceTensor Map(ReferenceTensor x, Func<double, double> f) =>
        x with
        {
            Values = Array.ConvertAll(x.Values, v => f(v)),
        };

    private static ReferenceTensor Dequantize(ReferenceTensor x, ReferenceTensor scale, ReferenceTensor zero, int axis)
    {
        var inner = scale.Values.Length == 1 ? x.Values.Length : x.Shape.Skip(axis + 1).Aggregate(1, (product, d) => product * d);
        return x with
        {
            Values =
            [
                .. x.Values.Select(
                    (v, i) => (v - zero.Values[i / inner % zero.Values.Length]) * scale.Values[i / inner % scale.Values.Length]
                ),
            ],
        };
    }

    /// <summary>The second may have height and width 1.</summary>
    /// <summary>Of two tensors with the same number of axes, of which the second one has lengths of the first or 1.</summary>
    private static ReferenceTensor Broadcast(ReferenceTensor a, ReferenceTensor b, Func<double, double, double> f)
    {
        return a with { Values = [.. a.Values.Select((v, i) => f(v, b.Values[Place(i)]))] };

        int Place(int i)
        {
            var (place, stride) = (0, 1);
            for (var axis = a.Shape.Length - 1; axis >= 0; axis--)
            {
                place += b.Shape[axis] == 1 ? 0 : i % a.Shape[axis] * stride;
                (i, stride) = (i / a.Shape[axis], stride * b.Shape[axis]);
            }

            return place;
        }
    }

    private static ReferenceTensor Concat(ReferenceTensor[] x) =>
        new([.. x.SelectMany(t => t.Values)], [1, x.Sum(t => t.Shape[1]), x[0].Shape[2], x[0].Shape[3]]);

    private static ReferenceTensor Conv(NodeProto node, ReferenceTensor[] x)
    {
        var (map, w) = (x[0], x[1]);
        var (group, pad, stride) = ((int)node.Int("group", 1), (int)(node.Ints("pads")?[0] ?? 0), (int)(node.Ints("strides")?[0] ?? 1));
        var (height, width, kernel, perGroup) = (map.Shape[2], map.Shape[3], w.Shape[2], w.Shape[1]);
        var (h, v) = (((height + (2 * pad) - kernel) / stride) + 1, ((width + (2 * pad) - kernel) / stride) + 1);
        var y = new double[w.Shape[0] * h * v];
        for (var o = 0; o < w.Shape[0]; o++)
        {
            for (var i = 0; i < h; i++)
            {
                for (var j = 0; j < v; j++)
                {
                    var sum = x.Length > 2 ? x[2].Values[o] : 0;
                    for (var c = 0; c < perGroup; c++)
                    {
                        for (var k = 0; k < kernel * kernel; k++)
                        {
                            var (row, column) = ((i * stride) + (k / kernel) - pad, (j * stride) + (k % kernel) - pad);
                            var channel = (o / (w.Shape[0] / group) * perGroup) + c;
                            if (row >= 0 && row < height && column >= 0 && column < width)
                                sum +=
                                    map.Values[(((channel * height) + row) * width) + column]
                                    * w.Values[(((o * perGroup) + c) * kernel * kernel) + k];
                        }
                    }

                    y[(((o * h) + i) * v) + j] = sum;
                }
            }
        }

        return new(y, [1, w.Shape[0], h, v]);
    }

    private static ReferenceTensor Gemm(ReferenceTensor a, ReferenceTensor b, ReferenceTensor? bias, bool transposed)
    {
        var (inner, columns) = (a.Shape[^1], transposed ? b.Shape[0] : b.Shape[1]);
        var y = new double[columns];
        for (var j = 0; j < columns; j++)
        {
            y[j] = bias?.Values[j] ?? 0;
            for (var k = 0; k < inner; k++)
                y[j] += a.Values[k] * b.Values[transposed ? (j * inner) + k : (k * columns) + j];
        }

        return new(y, [1, columns]);
    }

    private static ReferenceTensor Pool(ReferenceTensor x, int kernelHeight, int kernelWidth, int stride, Func<double[], double> f)
    {
        var (height, width) = (x.Shape[2], x.Shape[3]);
        var (h, v) = (((height - kernelHeight) / stride) + 1, ((width - kernelWidth) / stride) + 1);
        var y = new double[x.Shape[1] * h * v];
        for (var i = 0; i < y.Length; i++)
        {
            var (channel, row, column) = (i / (h * v), i / v % h * stride, i % v * stride);
            double[] window =
            [
                .. Enumerable
                    .Range(0, kernelHeight * kernelWidth)
                    .Select(k => x.Values[(((channel * height) + row + (k / kernelWidth)) * width) + column + (k % kernelWidth)]),
            ];
            y[i] = f(window);
        }

        return new(y, [1, x.Shape[1], h, v]);
    }
}
