using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

internal sealed partial class DrawnOperators
{
    private OperatorCase Conv()
    {
        var axes = random.Next(1, 4);
        var (group, shape) = (One(1, 2, 4), Spatial(axes, 4));
        var (kernel, filters) = (Longs(axes, 1, 4), 4 * random.Next(1, 3));
        long[] dims = [filters, 4 / group, .. kernel];
        var attributes = Window(axes, kernel, shape, isPool: false);
        return new(
            One(7, 11, 22),
            shape,
            (g, x) =>
                g.Node(
                    "Conv",
                    [x, Table(g, dims), .. random.Next(2) == 0 ? [Vector(g, filters)] : Array.Empty<string>()],
                    [.. attributes, .. Some(("group", (long)group), group == 1)]
                )
        );
    }

    private OperatorCase ConvTranspose()
    {
        var axes = random.Next(1, 4);
        var (group, shape) = (One(1, 2), Spatial(axes, 4));
        var kernel = Longs(axes, 2, 4);
        long[] strides = Longs(axes, 1, 3);
        List<(string, object)> attributes = [("strides", strides)];
        if (random.Next(3) == 0)
            attributes.Add(("dilations", Longs(axes, 1, 3)));
        if (random.Next(3) == 0)
            attributes.Add(("output_padding", strides.Select(s => (long)random.Next(0, (int)s)).ToArray()));
        switch (random.Next(4))
        {
            case 0:
                attributes.Add(("pads", Longs(2 * axes, 0, 2)));
                break;
            case 1:
                attributes.Add(("auto_pad", One("SAME_UPPER", "SAME_LOWER", "VALID")));
                break;
            case 2:
                attributes.Add(("output_shape", shape[1..].Select((d, i) => d * strides[i]).ToArray()));
                break;
        }

        return new(
            One(7, 11, 22),
            shape,
            (g, x) =>
                g.Node(
                    "ConvTranspose",
                    [x, Table(g, [4, 3, .. kernel]), .. random.Next(2) == 0 ? [Vector(g, 3 * group)] : Array.Empty<string>()],
                    [.. attributes, .. Some(("group", (long)group), group == 1)]
                )
        );
    }

    private OperatorCase Pool(string op)
    {
        var axes = random.Next(1, 4);
        var shape = Spatial(axes, 4);
        var kernel = Longs(axes, 1, 4);
        List<(string, object)> attributes = [("kernel_shape", kernel), .. Window(axes, kernel, shape, isPool: true)];
        var opset = One(7, 11, 17, 19, 22);
        if (opset >= 10 && random.Next(2) == 0)
            attributes.Add(("ceil_mode", 1L));
        if (op == "AveragePool" && random.Next(2) == 0)
            attributes.Add(("count_include_pad", 1L));
        if (opset < (op == "MaxPool" ? 10 : 19))
            attributes.RemoveAll(a => a.Item1 == "dilations");
        return new(opset, shape, (g, x) => g.Node(op, [x], [.. attributes]));
    }

    private List<(string, object)> Window(int axes, long[] kernel, int[] shape, bool isPool)
    {
        List<(string, object)> attributes = [];
        if (random.Next(3) > 0)
            attributes.Add(("strides", Longs(axes, 1, 4)));
        if (random.Next(3) == 0)
            attributes.Add(("dilations", Longs(axes, 1, 3)));
        switch (random.Next(3))
        {
            case 0:
                attributes.Add(("pads", kernel.Concat(kernel).Select(k => (long)random.Next(0, (int)(isPool ? k : 3))).ToArray()));
                break;
            case 1:
                attributes.Add(("auto_pad", One("SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET")));
                break;
        }

        return attributes;
    }

    private OperatorCase Pad()
    {
        var shape = Spatial(random.Next(0, 4), 4);
        var rank = shape.Length + 1;
        var mode = One("constant", "reflect", "edge", "wrap");
        var opset = mode == "wrap" ? 19 : One(10, 11, 13, 18);
        var least = mode == "constant" && random.Next(3) == 0 ? -1 : 0;
        long[] ends = Longs(2 * rank, least, 3);
        ends[0] = ends[rank] = 0;
        (string, object)[] attributes = mode == "constant" && random.Next(2) == 0 ? [] : [("mode", mode)];
        if (opset < 11)
            return new(opset, shape, (g, x) => g.Node("Pad", [x], [.. attributes, ("pads", ends), .. Some(("value", 0.5f))]));
        if (opset < 18 || random.Next(2) == 0)
            return new(
                opset,
                shape,
                (g, x) =>
                    g.Node(
                        "Pad",
                        [x, Integers(g, ends), .. random.Next(2) == 0 ? [g.Constant("value", [0.5f])] : Array.Empty<string>()],
                        attributes
                    )
            );
        var axis = random.Next(1, rank);
        return new(
            opset,
            shape,
            (g, x) => g.Node("Pad", [x, Integers(g, ends[axis], ends[axis + rank]), "", Integers(g, One(axis, axis - rank))], attributes)
        );
    }

    private OperatorCase Gemm()
    {
        var (transA, transB) = (random.Next(2) == 0, random.Next(2) == 0);
        return new(
            One(7, 9, 11, 13),
            [6],
            (g, x) =>
            {
                // The batch stays the first axis of the result.
                var a = transA ? g.Node("Transpose", [x], ("perm", new[] { 1L, 0L })) : x;
                var b = Table(g, transB ? [7, 6] : [6, 7]);
                string[] c = g.Opset >= 11 && random.Next(3) == 0 ? [] : [Table(g, One<long[]>([7], [1, 7], [1], [1, 1]))];
                return g.Node(
                    "Gemm",
                    [a, b, .. c],
                    [
                        .. Some(("transA", transA ? 1L : 0L), !transA),
                        .. Some(("transB", transB ? 1L : 0L), !transB),
                        .. Some(("alpha", One(0.5f, -2f))),
                        .. Some(("beta", One(0.5f, 0f, -2f))),
                    ]
                );
            }
        );
    }

    private OperatorCase MatMul() =>
        random.Next(4) switch
        {
            0 => new(13, [4, 6, 5], (g, x) => g.Node("MatMul", [Table(g, One<long[]>([3, 6], [4, 3, 6], [1, 1, 3, 6])), x])),
            1 => new(13, [4, 6, 5], (g, x) => g.Node("MatMul", [x, Table(g, One<long[]>([5, 2], [4, 5, 2], [1, 4, 5, 2], [5]))])),
            2 => new(9, [6, 5], (g, x) => g.Node("MatMul", [x, g.Node("Transpose", [x], ("perm", new[] { 0L, 2L, 1L }))])),
            _ => new(13, [5], (g, x) => g.Node("MatMul", [x, Table(g, One<long[]>([5, 3], [5]))])),
        };
}
