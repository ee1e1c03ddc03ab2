using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

internal static partial class OperatorCases
{
    /// <summary>Arithmetic, matrix products and normalizations.</summary>
    private static Dictionary<string, OperatorCase> Composed() =>
        new(StringComparer.Ordinal)
        {
            ["Add"] = new(17, Map, (g, x) => g.Node("Add", [x, Vector(g, 5, 21)])),
            ["Add of itself"] = new(17, Map, (g, x) => g.Node("Add", [g.Node("Relu", [x]), x])),
            ["Add over a sum"] = new(17, Map, (g, x) => g.Node("Add", [g.Node("Add", [x, g.Node("Tanh", [x])]), g.Node("Exp", [x])])),
            ["Sub"] = new(17, Map, (g, x) => g.Node("Sub", [g.Constant("one", [1f]), g.Node("Sub", [x, Vector(g, 5, 21)])])),
            ["Mul"] = new(17, Map, (g, x) => g.Node("Mul", [g.Constant("three", [3f]), g.Node("Mul", [x, x])])),
            ["Div"] = new(17, Map, (g, x) => g.Node("Div", [x, Positive(g, x)])),
            ["Div by a number"] = new(17, Map, (g, x) => g.Node("Div", [x, g.Constant("root", [1.4142135f])])),
            ["Pow"] = new(17, Map, (g, x) => g.Node("Pow", [x, g.Constant("two", [2f])])),
            ["Pow of a tensor"] = new(17, Map, (g, x) => g.Node("Pow", [Positive(g, x), x])),
            ["Min"] = new(17, Map, (g, x) => g.Node("Min", [x, Vector(g, 5, 23)])),
            ["Max"] = new(17, Map, (g, x) => g.Node("Max", [x, Vector(g, 5, 23), g.Constant("low", [-0.2f])])),
            ["Sum"] = new(17, Map, (g, x) => g.Node("Sum", [x, g.Node("Tanh", [x]), x])),
            ["Mean"] = new(17, Map, (g, x) => g.Node("Mean", [x, g.Node("Tanh", [x])])),
            ["Mod"] = new(17, Map, (g, x) => g.Node("Mod", [x, g.Constant("seven", [0.7f])], ("fmod", 1L)), HasDerivative: false),
            ["MatMul"] = new(17, Map, (g, x) => g.Node("MatMul", [x, g.Node("Transpose", [x], ("perm", new[] { 0L, 1L, 3L, 2L }))])),
            ["MatMul broadcast"] = new(17, Map, (g, x) => g.Node("MatMul", [Vector(g, 18, 29, 1, 3, 6), x])),
            ["MatMul of a matrix"] = new(17, Map, (g, x) => g.Node("MatMul", [x, Vector(g, 10, 29, 5, 2)])),
            ["Gemm"] = new(17, [6], (g, x) => g.Node("Gemm", [x, Vector(g, 42, 25, 7, 6), Vector(g, 7, 27)], ("transB", 1L))),
            ["Gemm scaled"] = new(
                17,
                [6],
                (g, x) => g.Node("Gemm", [x, Vector(g, 42, 25, 6, 7), Vector(g, 7, 27, 1, 7)], ("alpha", 0.5f), ("beta", 2f))
            ),
            ["Einsum"] = new(17, Map, (g, x) => g.Node("Einsum", [x, x], ("equation", "nchw,ncvw->nchv"))),
            ["BatchNormalization"] = new(17, Map, (g, x) => BatchNormalized(g, x)),
            ["BatchNormalization of vectors"] = new(17, [6], (g, x) => BatchNormalized(g, x, 6)),
            ["BatchNormalization over one axis"] = new(17, [9, 6], (g, x) => BatchNormalized(g, x, 9)),
            ["BatchNormalization and Relu"] = new(17, Map, (g, x) => g.Node("Relu", [BatchNormalized(g, x)])),
            ["BatchNormalization and Clip"] = new(
                17,
                [9, 3, 4],
                (g, x) => g.Node("Clip", [BatchNormalized(g, x, 9), g.Constant("min", [-0.5f]), g.Constant("max", [0.8f])])
            ),
            ["BatchNormalization in a block"] = new(17, Map, Block),
            ["LayerNormalization"] = new(17, Map, (g, x) => g.Node("LayerNormalization", [x, Vector(g, 5, 31), Vector(g, 5, 32)])),
            ["LayerNormalization axis"] = new(
                17,
                Map,
                (g, x) => g.Node("LayerNormalization", [x, Vector(g, 30, 31, 6, 5)], ("axis", 2L), ("epsilon", 0.01f))
            ),
            ["InstanceNormalization"] = new(17, Map, (g, x) => g.Node("InstanceNormalization", [x, Vector(g, 4, 31), Vector(g, 4, 32)])),
            ["GroupNormalization"] = new(
                21,
                Map,
                (g, x) => g.Node("GroupNormalization", [x, Vector(g, 4, 31), Vector(g, 4, 32)], ("num_groups", 2L))
            ),
            ["RMSNormalization"] = new(23, Map, (g, x) => g.Node("RMSNormalization", [x, Vector(g, 5, 31)])),
            ["LRN"] = new(17, [8, 3, 3], (g, x) => g.Node("LRN", [x], ("size", 5L), ("alpha", 0.3f), ("bias", 2f))),
            ["PRelu"] = new(17, Map, (g, x) => g.Node("PRelu", [x, Vector(g, 4, 31, 4, 1, 1)])),
            ["Swish"] = new(24, Map, (g, x) => g.Node("Swish", [x], ("alpha", 1.5f))),
        };

    /// <summary>Convolutions, pooling and resizing.</summary>
    private static Dictionary<string, OperatorCase> Windows()
    {
        var cases = new Dictionary<string, OperatorCase>(StringComparer.Ordinal)
        {
            ["Conv"] = Conv(4, 1, ("pads", new[] { 1L, 1L, 1L, 1L })),
            ["Conv uneven"] = Conv(4, 1, ("pads", new[] { 0L, 0L, 1L, 1L }), ("strides", new[] { 2L, 2L })),
            ["Conv same"] = Conv(4, 1, ("auto_pad", "SAME_UPPER"), ("strides", new[] { 2L, 2L })),
            ["Conv dilated"] = Conv(4, 1, ("dilations", new[] { 2L, 1L })),
            ["Conv depthwise"] = Conv(1, 4, ("pads", new[] { 1L, 1L, 1L, 1L })),
            ["Conv over one axis"] = new(
                17,
                [4, 6],
                (g, x) => g.Node("Conv", [x, Vector(g, 36, 41, 3, 4, 3), Vector(g, 3, 42)], ("pads", new[] { 1L, 1L }))
            ),
            ["ConvTranspose"] = new(
                17,
                Map,
                (g, x) =>
                    g.Node(
                        "ConvTranspose",
                        [x, Vector(g, 108, 41, 4, 3, 3, 3), Vector(g, 3, 42)],
                        ("strides", new[] { 2L, 2L }),
                        ("pads", new[] { 1L, 1L, 1L, 1L }),
                        ("output_padding", new[] { 1L, 1L })
                    )
            ),
            ["MaxPool over one axis"] = new(17, [4, 6], (g, x) => g.Node("MaxPool", [x], ("kernel_shape", new[] { 2L }))),
            ["Resize"] = Resize("nearest", "asymmetric", ("nearest_mode", "floor")),
            ["Resize linear"] = Resize("linear", "half_pixel"),
            ["Resize linear corners"] = Resize("linear", "align_corners"),
            ["Resize cubic"] = Resize("cubic", "half_pixel", ("cubic_coeff_a", -0.75f)),
            ["Upsample"] = new(9, Map, (g, x) => g.Node("Upsample", [x, g.Constant("scales", [1f, 1f, 2f, 3f], 4)])),
            ["DepthToSpace"] = new(17, [8, 2, 3], (g, x) => g.Node("DepthToSpace", [x], ("blocksize", 2L))),
            ["DepthToSpace CRD"] = new(17, [8, 2, 3], (g, x) => g.Node("DepthToSpace", [x], ("blocksize", 2L), ("mode", "CRD"))),
            ["SpaceToDepth"] = new(17, [3, 4, 6], (g, x) => g.Node("SpaceToDepth", [x], ("blocksize", 2L))),
        };
        foreach (var op in (string[])["MaxPool", "AveragePool"])
        {
            cases[op] = Pool(op, ("strides", new[] { 2L, 1L }), ("pads", new[] { 1L, 1L, 1L, 1L }));
            cases[$"{op} uneven"] = Pool(op, ("pads", new[] { 0L, 1L, 1L, 0L }));
            cases[$"{op} ceil"] = Pool(op, ("strides", new[] { 2L, 2L }), ("ceil_mode", 1L));
            cases[$"{op} same"] = Pool(op, ("auto_pad", "SAME_LOWER"), ("strides", new[] { 2L, 2L }));
        }

        cases["AveragePool with padding"] = Pool("AveragePool", ("pads", new[] { 1L, 1L, 1L, 1L }), ("count_include_pad", 1L));
        cases["MaxPool dilated"] = Pool("MaxPool", ("dilations", new[] { 2L, 1L }));
        return cases;

        static OperatorCase Conv(int inputs, int group, params (string, object)[] attributes) =>
            new(
                17,
                Map,
                (g, x) =>
                    g.Node(
                        "Conv",
                        [x, Vector(g, 8 * inputs * 9, 41, 8, inputs, 3, 3), Vector(g, 8, 42)],
                        [.. attributes, ("group", (long)group)]
                    )
            );

        static OperatorCase Pool(string op, params (string, object)[] attributes) =>
            new(17, Map, (g, x) => g.Node(op, [x], [.. attributes, ("kernel_shape", new[] { 3L, 3L })]));

        static OperatorCase Resize(string mode, string places, params (string, object)[] attributes) =>
            new(
                17,
                Map,
                (g, x) =>
                    g.Node(
                        "Resize",
                        [x, "", g.Constant("scales", [1f, 1f, 2f, 2f], 4)],
                        [.. attributes, ("mode", mode), ("coordinate_transformation_mode", places)]
                    )
            );
    }

    /// <summary>Operators that move values.</summary>
    private static Dictionary<string, OperatorCase> Moves() =>
        new(StringComparer.Ordinal)
        {
            ["Reshape"] = new(17, Map, (g, x) => g.Node("Reshape", [x, Integers(g, 0, -1, 10)])),
            ["Reshape by the input's own shape"] = new(
                17,
                Map,
                (g, x) =>
                    g.Node(
                        "Reshape",
                        [
                            x,
                            g.Node(
                                "Concat",
                                [g.Node("Slice", [g.Node("Shape", [x]), Integers(g, 0), Integers(g, 2)]), Integers(g, -1)],
                                ("axis", 0L)
                            ),
                        ]
                    )
            ),
            ["Squeeze"] = new(17, [1, 4, 5], (g, x) => g.Node("Squeeze", [x], ("axes", new[] { 1L }))),
            ["Unsqueeze"] = new(17, Map, (g, x) => g.Node("Unsqueeze", [x], ("axes", new[] { 1L, -1L }))),
            ["Concat"] = new(17, Map, (g, x) => g.Node("Concat", [x, g.Node("Tanh", [x])], ("axis", -1L))),
            ["Concat of a class token"] = new(17, [6, 5], (g, x) => Normalized(g, WithClassToken(g, x))),
            ["Add of positions"] = new(
                17,
                [6, 5],
                (g, x) => Normalized(g, g.Node("Add", [WithClassToken(g, x), Vector(g, 35, 73, 1, 7, 5)]))
            ),
            ["Add of resized positions"] = new(
                17,
                [6, 5],
                (g, x) =>
                {
                    var map = g.Node("Transpose", [Vector(g, 60, 74, 1, 3, 4, 5)], ("perm", new[] { 0L, 3L, 1L, 2L }));
                    var resized = g.Node(
                        "Resize",
                        [map, "", g.Constant("scales", [1f, 1f, 0.7f, 0.8f], 4)],
                        ("mode", "cubic"),
                        ("coordinate_transformation_mode", "pytorch_half_pixel")
                    );
                    var turned = g.Node("Transpose", [resized], ("perm", new[] { 0L, 2L, 3L, 1L }));
                    return Normalized(g, g.Node("Add", [x, g.Node("Reshape", [turned, Integers(g, 1, -1, 5)])]));
                }
            ),
            ["Add of a bias and a mask"] = new(
                17,
                [2, 4, 4],
                (g, x) =>
                {
                    var places = g.Constant("places", [0L, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6], 4, 4);
                    var picked = g.Node("Gather", [Vector(g, 14, 75, 7, 2), places], ("axis", 0L));
                    var biased = g.Node("Add", [x, g.Node("Transpose", [picked], ("perm", new[] { 2L, 0L, 1L }))]);
                    float[] mask = [.. Enumerable.Range(0, 16).Select(i => i % 5 == 1 ? -100f : 0)];
                    return g.Node("Softmax", [g.Node("Add", [biased, g.Constant("mask", mask, 1, 4, 4)])], ("axis", -1L));
                }
            ),
            ["Split"] = new(17, Map, (g, x) => Rejoined(g, g.Nodes("Split", "", 2, [x, Integers(g, 1, 3)], ("axis", 1L)))),
            ["Split opset 11"] = new(11, Map, (g, x) => Rejoined(g, g.Nodes("Split", "", 2, [x], ("axis", 2L)))),
            ["Split opset 18"] = new(18, Map, (g, x) => Rejoined(g, g.Nodes("Split", "", 2, [x], ("axis", 3L), ("num_outputs", 2L)), 3)),
            ["Slice"] = new(17, Map, (g, x) => g.Node("Slice", [x, Integers(g, 1, -3), Integers(g, 100, -1), Integers(g, 2, 3)])),
            ["Slice backwards"] = new(
                17,
                Map,
                (g, x) => g.Node("Slice", [x, Integers(g, -1), Integers(g, long.MinValue), Integers(g, 2), Integers(g, -2)])
            ),
            ["Slice opset 9"] = new(
                9,
                Map,
                (g, x) => g.Node("Slice", [x], ("starts", new[] { 1L }), ("ends", new[] { 3L }), ("axes", new[] { 1L }))
            ),
            ["Gather"] = new(17, Map, (g, x) => g.Node("Gather", [x, Integers(g, 2, -1, 2)], ("axis", 1L))),
            ["Gather of one"] = new(17, Map, (g, x) => g.Node("Gather", [x, g.Constant("first", (ReadOnlySpan<long>)[0])], ("axis", 1L))),
            ["GatherElements"] = new(
                17,
                [3, 2],
                (g, x) =>
                    g.Node(
                        "GatherElements",
                        [x, g.Node("Expand", [g.Constant("i", [1L, -1L, 0L, 0L], 1, 2, 2), ShapeWith(g, x, 2, 2)])],
                        ("axis", 1L)
                    )
            ),
            ["ScatterND"] = new(
                17,
                [3, 2],
                (g, x) =>
                {
                    var rows = g.Node("Transpose", [x], ("perm", new[] { 1L, 0L, 2L }));
                    var updates = g.Node("Tanh", [g.Node("Slice", [rows, Integers(g, 0), Integers(g, 2), Integers(g, 0)])]);
                    var placed = g.Node("ScatterND", [rows, g.Constant("places", [0L, -1L], 2, 1), updates]);
                    return g.Node("Transpose", [placed], ("perm", new[] { 1L, 0L, 2L }));
                }
            ),
            ["Expand"] = new(17, [1, 4, 5], (g, x) => g.Node("Expand", [x, Integers(g, 1, 3, 1, 1)])),
            ["Tile"] = new(17, Map, (g, x) => g.Node("Tile", [x, Integers(g, 1, 2, 1, 3)])),
            ["Pad"] = new(17, Map, (g, x) => g.Node("Pad", [x, Integers(g, 0, 1, 0, 2, 0, 0, 1, 0), g.Constant("value", [0.5f])])),
            ["Pad reflect"] = new(17, Map, (g, x) => g.Node("Pad", [x, Integers(g, 0, 0, 1, 2, 0, 0, 1, 0)], ("mode", "reflect"))),
            ["Pad edge"] = new(17, Map, (g, x) => g.Node("Pad", [x, Integers(g, 0, 0, 1, 2, 0, 0, 1, 0)], ("mode", "edge"))),
            ["Trilu"] = new(17, Map, (g, x) => g.Node("Trilu", [x], ("upper", 0L))),
        };

    /// <summary>Comparisons and choices; all are continuous where two sides meet.</summary>
    private static Dictionary<string, OperatorCase> Choices()
    {
        var cases = new Dictionary<string, OperatorCase>(StringComparer.Ordinal);
        foreach (var op in (string[])["Less", "LessOrEqual", "Greater", "GreaterOrEqual"])
            cases[op] = new(17, Map, (g, x) => Chosen(g, x, g.Node(op, [x, g.Constant("limit", [0.3f])])));
        cases["Equal"] = new(17, Map, (g, x) => Chosen(g, x, g.Node("Equal", [g.Node("Relu", [x]), x])), HasDerivative: false);
        cases["Not"] = new(17, Map, (g, x) => Chosen(g, x, g.Node("Not", [g.Node("Less", [x, g.Constant("limit", [0.3f])])])));
        cases["And"] = new(17, Map, (g, x) => Chosen(g, x, Two(g, x, "And")), HasDerivative: false);
        cases["Or"] = new(17, Map, (g, x) => Chosen(g, x, Two(g, x, "Or")), HasDerivative: false);
        cases["Where"] = new(17, Map, (g, x) => Chosen(g, x, g.Node("Less", [x, g.Constant("limit", [0.3f])])));
        cases["Cast"] = new(
            17,
            Map,
            (g, x) => g.Node("Add", [x, g.Node("Cast", [g.Node("Cast", [x], ("to", 7L))], ("to", 1L))]),
            HasDerivative: false
        );
        cases["CastLike"] = new(17, Map, (g, x) => g.Node("Add", [x, g.Node("CastLike", [g.Node("Less", [x, x]), x])]));
        return cases;

        static string Chosen(GraphWriter g, string x, string condition) =>
            g.Node("Where", [condition, g.Node("Sub", [g.Node("Add", [x, x]), g.Constant("limit", [0.3f])]), x]);

        static string Two(GraphWriter g, string x, string op) =>
            g.Node(op, [g.Node("Less", [x, g.Constant("high", [0.9f])]), g.Node("Greater", [x, g.Constant("low", [-0.4f])])]);
    }

    private static string BatchNormalized(GraphWriter g, string x, int channels = 4) =>
        g.Node("BatchNormalization", [x, Vector(g, channels, 31), Vector(g, channels, 32), Vector(g, channels, 33), Squares(g, channels)]);

    /// <summary>A residual block: what passes by a normalization, what two of them take, and a scale that the graph computes.</summary>
    private static string Block(GraphWriter g, string x)
    {
        var scale = g.Node("Mul", [Vector(g, 4, 35), Vector(g, 4, 36)]);
        var first = g.Node("BatchNormalization", [x, scale, Vector(g, 4, 37), Vector(g, 4, 33), Squares(g, 4)]);
        var weights = Vector(g, 144, 38, 4, 4, 3, 3);
        var active = g.Node("Relu", [first]);
        var inner = g.Node("Conv", [active, weights], ("pads", new[] { 1L, 1L, 1L, 1L }));
        var sum = g.Node("Add", [BatchNormalized(g, inner), BatchNormalized(g, x)]);
        return g.Node("Sum", [g.Node("Relu", [sum]), g.Node("Tanh", [x]), active]);
    }

    private static string Rejoined(GraphWriter g, string[] parts, long axis = 1) =>
        g.Node("Concat", [parts[1], g.Node("Tanh", [parts[0]])], ("axis", axis));

    /// <summary>A block's first steps: the tokens, normalized, beside themselves.</summary>
    private static string Normalized(GraphWriter g, string tokens) =>
        g.Node("Add", [tokens, g.Node("LayerNormalization", [tokens, Vector(g, 5, 71), Vector(g, 5, 72)])]);

    /// <summary>A class token, repeated for each photo, before the others.</summary>
    private static string WithClassToken(GraphWriter g, string x) =>
        g.Node("Concat", [g.Node("Expand", [Vector(g, 5, 70, 1, 1, 5), ShapeWith(g, x, 1, 1)]), x], ("axis", 1L));

    private static string Squares(GraphWriter g, int count) =>
        g.Constant("variance", Array.ConvertAll(OperatorCase.Values(count, 34), v => v * v + 0.1f), count);

    /// <summary>N of a tensor, then other lengths.</summary>
    private static string ShapeWith(GraphWriter g, string x, params long[] rest) =>
        g.Node("Concat", [g.Node("Slice", [g.Node("Shape", [x]), Integers(g, 0), Integers(g, 1)]), Integers(g, rest)], ("axis", 0L));
}
