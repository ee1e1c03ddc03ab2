using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>Operators with attributes drawn from what ONNX allows, more than any one exporter writes.</summary>
internal sealed partial class DrawnOperators(Random random)
{
    public static string[] Names { get; } =
    [
        "Conv",
        "ConvTranspose",
        "MaxPool",
        "AveragePool",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "Pad",
        "Gemm",
        "MatMul",
        "Einsum",
        .. OperatorCases.Reductions,
        "Softmax",
        "LogSoftmax",
        "Slice",
        "Gather",
        "GatherElements",
        "ScatterND",
        "Split",
        "Concat",
        "Expand",
        "Tile",
        "Transpose",
        "Reshape",
        "Flatten",
        "Squeeze",
        "Unsqueeze",
        "DepthToSpace",
        "SpaceToDepth",
        "Trilu",
        "CumSum",
        "BatchNormalization",
        "InstanceNormalization",
        "LayerNormalization",
        "GroupNormalization",
        "RMSNormalization",
        "LpNormalization",
        "LRN",
        "Clip",
        "Pow",
        "Sub",
        "Div",
        "Min",
        "Max",
        "Mean",
        "Sum",
        "PRelu",
        "Elu",
        "Celu",
        "Selu",
        "LeakyRelu",
        "ThresholdedRelu",
        "HardSigmoid",
        "Swish",
        "Where",
    ];

    private int _part = 100;

    public OperatorCase Next(string op) =>
        op switch
        {
            "Conv" => Conv(),
            "ConvTranspose" => ConvTranspose(),
            "MaxPool" or "AveragePool" => Pool(op),
            "GlobalAveragePool" or "GlobalMaxPool" => new(One(7, 17, 22), Spatial(3), (g, x) => g.Node(op, [x])),
            "Pad" => Pad(),
            "Gemm" => Gemm(),
            "MatMul" => MatMul(),
            "Einsum" => Einsum(),
            "Softmax" or "LogSoftmax" => Axis(op, One(7, 11, 13, 17), Map(), 1),
            "Slice" => Slice(),
            "Gather" => Gather(),
            "GatherElements" => GatherElements(),
            "ScatterND" => ScatterNd(),
            "Split" => Split(),
            "Concat" => Concat(),
            "Expand" => Expand(),
            "Tile" => Tile(),
            "Transpose" => Transpose(),
            "Reshape" => Reshape(),
            "Flatten" => new(17, Map(), (g, x) => Back(g, x, g.Node("Flatten", [x], Some(("axis", (long)random.Next(-3, 5)))))),
            "Squeeze" or "Unsqueeze" => Squeeze(op),
            "DepthToSpace" => new(
                One(11, 13),
                [8, 2, 3],
                (g, x) => g.Node(op, [x], [("blocksize", 2L), .. Some(("mode", One("DCR", "CRD")))])
            ),
            "SpaceToDepth" => new(13, [3, 4, 6], (g, x) => g.Node(op, [x], ("blocksize", (long)One(1, 2)))),
            "Trilu" => new(
                17,
                Map(),
                (g, x) => g.Node(op, [x, g.Constant("k", (ReadOnlySpan<long>)[random.Next(-3, 4)])], Some(("upper", (long)One(0, 1))))
            ),
            "CumSum" => new(
                17,
                Map(),
                (g, x) =>
                    g.Node(
                        op,
                        [x, g.Constant("axis", (ReadOnlySpan<long>)[One(1, 2, 3, -1, -2)])],
                        [.. Some(("exclusive", (long)One(0, 1))), .. Some(("reverse", (long)One(0, 1)))]
                    )
            ),
            "BatchNormalization" => BatchNormalization(),
            "InstanceNormalization" => new(
                One(7, 17),
                [4, .. Spatial(2)[1..]],
                (g, x) => g.Node(op, [x, Vector(g, 4), Vector(g, 4)], Some(("epsilon", One(1e-5f, 0.1f))))
            ),
            "LayerNormalization" => LayerNormalization(op, 17),
            "RMSNormalization" => LayerNormalization(op, 23),
            "GroupNormalization" => GroupNormalization(),
            "LpNormalization" => new(
                One(7, 22),
                Map(),
                (g, x) =>
                    g.Node(
                        op,
                        [One(0, 1) == 0 ? x : g.Node("Mul", [x, g.Constant("zeros", [0f, 1, 0, 0, 1], 5)])],
                        [.. Some(("axis", (long)One(1, 2, 3, -1, -2))), .. Some(("p", (long)One(1, 2)))]
                    )
            ),
            "LRN" => new(
                One(7, 13),
                [8, 3, 3],
                (g, x) =>
                    g.Node(
                        op,
                        [x],
                        [("size", (long)random.Next(1, 7)), .. Some(("alpha", 0.3f)), .. Some(("beta", 0.5f)), .. Some(("bias", 2f))]
                    )
            ),
            "Clip" => Clip(),
            "Pow" => new(
                One(7, 13, 15),
                Map(),
                (g, x) =>
                    g.Opset >= 12 && random.Next(2) == 0
                        ? g.Node(op, [x, g.Constant("exponent", (ReadOnlySpan<long>)[One(0, 1, 2, 3, -1)])])
                        : g.Node(op, [Positive(g, x), g.Constant("exponent", [One(0f, 0.5f, -0.5f, 1.7f, 3f)])])
            ),
            "Sub" or "Div" => new(One(7, 14), Map(), (g, x) => g.Node(op, Either(g, Positive(g, x)))),
            "Min" or "Max" or "Mean" or "Sum" => new(
                One(8, 13),
                Map(),
                (g, x) => g.Node(op, [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => i == 0 ? x : Other(g, x))])
            ),
            "PRelu" => new(
                One(7, 9, 16),
                [4, 6, 5],
                (g, x) => g.Node(op, [x, Table(g, One<long[]>([1], [5], [4, 1, 1], [6, 1], [4, 6, 5], [1, 4, 1, 1]))])
            ),
            "Where" => new(
                One(9, 16),
                Map(),
                (g, x) =>
                {
                    var condition = g.Node("Less", [x, g.Constant("limit", [0.3f])]);
                    return g.Node(op, random.Next(2) == 0 ? [condition, x, Other(g, x)] : [condition, Other(g, x), x]);
                }
            ),
            "Selu" => new(
                One(7, 22),
                Map(),
                (g, x) => g.Node(op, [x], [.. Some(("alpha", One(0.5f, 1.5f))), .. Some(("gamma", One(0.5f, 2f)))])
            ),
            "HardSigmoid" => new(
                One(7, 22),
                Map(),
                (g, x) => g.Node(op, [x], [.. Some(("alpha", One(0.1f, 1f / 6, 0.9f))), .. Some(("beta", One(0.1f, 0.5f)))])
            ),
            "Elu" or "Celu" or "LeakyRelu" or "ThresholdedRelu" or "Swish" => new(
                op == "Swish" ? 24 : One(12, 16, 22),
                Map(),
                (g, x) => g.Node(op, [x], Some(("alpha", One(0.1f, 0.5f, 1f, 2f))))
            ),
            _ => Reduce(op),
        };

    private OperatorCase Einsum()
    {
        var equation = One(
            "nchw,ncvw->nchv",
            "nchw->nhwc",
            "nchw->nc",
            "nchw, wk -> nchk",
            "nchw,w->nch",
            "NCHW,CW->NHW",
            "...w,wk->...k",
            "nchw,nchw->nc",
            "nchw,whk->nck",
            "nchw,ncwh"
        );
        return new(
            17,
            equation == "nchw,ncwh" ? [4, 5, 5] : [4, 6, 5],
            (g, x) =>
            {
                var second = equation.Split("->")[0].Split(',').ElementAtOrDefault(1)?.Trim();
                string[] inputs = second switch
                {
                    null => [x],
                    "wk" => [x, Table(g, [5, 3])],
                    "w" => [x, Vector(g, 5)],
                    "CW" => [x, Table(g, [4, 5])],
                    "whk" => [x, Table(g, [5, 6, 2])],
                    _ => [x, x],
                };
                return g.Node("Einsum", inputs, ("equation", equation));
            }
        );
    }

    private OperatorCase Reduce(string op)
    {
        var (opset, shape) = (One(7, 11, 13, 18, 20), Map());
        long[] axes = random.Next(4) == 0 ? [] : [.. One<long[]>([1L], [2, 3], [-1], [-2, 1], [1, 2, 3], [3, 1])];
        List<(string, object)> attributes = [.. Some(("keepdims", (long)One(0, 1)))];
        return new(
            opset,
            shape,
            (g, x) =>
            {
                var asInput = opset >= (op == "ReduceSum" ? 13 : 18);
                if (asInput && random.Next(2) == 0)
                    attributes.Add(("noop_with_empty_axes", 1L));
                string[] inputs =
                    axes.Length == 0 && (!asInput || random.Next(2) == 0) ? [x]
                    : asInput ? [x, Integers(g, axes)]
                    : [x];
                // The node itself, since the writer would move the axes to where the version wants them.
                if (!asInput && axes.Length > 0)
                    attributes.Add(("axes", axes));
                var made = Raw(g, op, inputs, [.. attributes]);
                // A sum over the photos is spread over them again.
                return axes.Length == 0 ? g.Node("Add", [x, made]) : made;
            }
        );
    }

    private static string Raw(GraphWriter g, string op, string[] inputs, (string Name, object Value)[] attributes)
    {
        var node = new NodeProto { OpType = op, Name = g.Unique(op) };
        node.Input.AddRange(inputs);
        node.Output.Add(g.Unique(op + "_out"));
        node.Attribute.AddRange(attributes.Select(a => OnnxAttributes.Create(a.Name, a.Value)));
        g.Graph.Node.Add(node);
        return node.Output[0];
    }

    private OperatorCase Axis(string op, int opset, int[] shape, int first) =>
        new(opset, shape, (g, x) => g.Node(op, [x], Some(("axis", (long)One(first, 2, 3, -1, -2)))));

    private OperatorCase BatchNormalization()
    {
        int[] shape = random.Next(3) == 0 ? [4] : Spatial(random.Next(1, 4), 4);
        return new(
            One(7, 9, 14, 15),
            shape,
            (g, x) =>
            {
                var variance = g.Constant(
                    "variance",
                    Array.ConvertAll(OperatorCase.Values(shape[0], _part++), v => v * v + 0.1f),
                    shape[0]
                );
                return g.Node(
                    "BatchNormalization",
                    [x, Vector(g, shape[0]), Vector(g, shape[0]), Vector(g, shape[0]), variance],
                    [.. Some(("epsilon", One(1e-5f, 0.1f))), .. Some(("momentum", 0.5f))]
                );
            }
        );
    }

    private OperatorCase LayerNormalization(string op, int opset)
    {
        var axis = One(1, 2, 3, -1, -2, -3);
        var shape = Map();
        var from = axis < 0 ? axis + 4 : axis;
        long[] dims = [.. shape[(from - 1)..].Select(d => (long)d)];
        if (random.Next(3) == 0)
            dims = [.. dims[..^1], 1];
        return new(
            opset,
            shape,
            (g, x) =>
                g.Node(
                    op,
                    [x, Table(g, dims), .. op == "LayerNormalization" && random.Next(2) == 0 ? [Table(g, dims)] : Array.Empty<string>()],
                    [.. Some(("axis", (long)axis), axis == -1), .. Some(("epsilon", One(1e-5f, 0.1f))), .. Some(("stash_type", 1L))]
                )
        );
    }

    private OperatorCase GroupNormalization()
    {
        var (opset, groups) = (One(18, 21), One(1, 2, 4));
        var count = opset == 18 ? groups : 4;
        return new(
            opset,
            Spatial(random.Next(1, 3), 4),
            (g, x) =>
                g.Node(
                    "GroupNormalization",
                    [x, Vector(g, count), Vector(g, count)],
                    [("num_groups", (long)groups), .. Some(("epsilon", 0.1f))]
                )
        );
    }

    private OperatorCase Clip()
    {
        var opset = One(7, 11, 12, 13);
        var (min, max) = One((-0.5f, 0.8f), (0f, 6f), (0.5f, -0.5f), (0.2f, 0.2f));
        var kind = random.Next(4);
        return new(
            opset,
            Map(),
            (g, x) =>
                opset < 11
                    ? Raw(
                        g,
                        "Clip",
                        [x],
                        [
                            .. kind % 2 == 1 ? [("min", min)] : Array.Empty<(string, object)>(),
                            .. kind > 1 ? [("max", max)] : Array.Empty<(string, object)>(),
                        ]
                    )
                    : g.Node(
                        "Clip",
                        [x, kind % 2 == 1 ? g.Constant("min", [min]) : "", .. kind > 1 ? [g.Constant("max", [max])] : Array.Empty<string>()]
                    )
        );
    }

    private string[] Either(GraphWriter g, string x) => random.Next(2) == 0 ? [x, OtherPositive(g, x)] : [OtherPositive(g, x), x];

    private string OtherPositive(GraphWriter g, string x) => Positive(g, Other(g, x));

    private string Other(GraphWriter g, string x) =>
        random.Next(4) switch
        {
            0 => g.Node("Tanh", [x]),
            1 => g.Constant("number", [0.3f]),
            2 => Table(g, [5]),
            _ => Table(g, One<long[]>([6, 1], [4, 6, 5], [1, 4, 1, 5])),
        };

    private static string Positive(GraphWriter g, string x) => g.Node("Add", [g.Node("Mul", [x, x]), g.Constant("half", [0.5f])]);

    /// <summary>A result whose first axis need not be the photos', made N x values again.</summary>
    private static string Back(GraphWriter g, string x, string made)
    {
        var photos = g.Node("Slice", [g.Node("Shape", [x]), Integers(g, 0), Integers(g, 1)]);
        return g.Node("Reshape", [made, g.Node("Concat", [photos, Integers(g, -1)], ("axis", 0L))]);
    }

    private static int[] Map() => [4, 6, 5];

    private int[] Spatial(int axes, int channels = 4) => [channels, .. Enumerable.Range(0, axes).Select(_ => random.Next(3, 8))];

    private long[] Longs(int count, int from, int to) => [.. Enumerable.Range(0, count).Select(_ => (long)random.Next(from, to))];

    private T One<T>(params T[] choices) => choices[random.Next(choices.Length)];

    /// <summary>An attribute, or its default.</summary>
    private (string, object)[] Some((string, object) attribute, bool mayMiss = true) => mayMiss && random.Next(2) == 0 ? [] : [attribute];

    private string Vector(GraphWriter g, int count) => Table(g, [count]);

    private string Table(GraphWriter g, long[] dims) =>
        g.Constant("table", OperatorCase.Values((int)dims.Aggregate(1L, (a, b) => a * b), _part++), dims);

    private static string Integers(GraphWriter g, params long[] values) => g.Constant("integers", values, values.Length);
}
