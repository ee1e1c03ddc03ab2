using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

internal sealed partial class DrawnOperators
{
    private OperatorCase Slice()
    {
        var count = random.Next(1, 4);
        long[] axes = [.. Enumerable.Range(1, 3).OrderBy(_ => random.Next()).Take(count).Select(a => random.Next(2) == 0 ? a : a - 4L)];
        long[] steps = [.. axes.Select(_ => (long)One(1, 1, 2, 3, -1, -2))];
        long[] starts = [.. steps.Select(s => s > 0 ? One(0L, 1, -3, long.MinValue) : One(-1L, 3, 100, long.MaxValue))];
        long[] ends = [.. steps.Select(s => s > 0 ? One(3L, -1, 100, long.MaxValue) : One(0L, -100, -4, long.MinValue))];
        if (random.Next(4) == 0)
            return new(
                9,
                Map(),
                (g, x) =>
                    g.Node(
                        "Slice",
                        [x],
                        ("starts", axes.Select(_ => (long)One(0, 1, -3)).ToArray()),
                        ("ends", axes.Select(_ => (long)One(3, -1, int.MaxValue)).ToArray()),
                        ("axes", axes.Select(a => a < 0 ? a + 4 : a).ToArray())
                    )
            );
        return new(
            One(10, 11, 13),
            Map(),
            (g, x) =>
                g.Node(
                    "Slice",
                    [
                        x,
                        Integers(g, starts),
                        Integers(g, ends),
                        Integers(g, axes),
                        .. steps.All(s => s == 1) ? Array.Empty<string>() : [Integers(g, steps)],
                    ]
                )
        );
    }

    private OperatorCase Gather()
    {
        var axis = One(1, 2, 3, -1, -2);
        var indices = Longs(random.Next(1, 7), -4, 4);
        long[] dims =
            indices.Length == 1 && random.Next(2) == 0 ? []
            : indices.Length % 2 == 0 && random.Next(2) == 0 ? [2, indices.Length / 2]
            : [indices.Length];
        return new(
            One(9, 11, 13),
            Map(),
            (g, x) =>
            {
                var i = g.Constant("indices", indices, dims);
                return g.Node("Gather", [x, random.Next(2) == 0 ? i : g.Node("Cast", [i], ("to", 6L))], ("axis", (long)axis));
            }
        );
    }

    private OperatorCase GatherElements()
    {
        // For every photo the same places, of an axis and of the first places of the others.
        var axis = One(1, 2, -1);
        long[] dims = [2, 3];
        return new(
            13,
            [4, 5],
            (g, x) =>
            {
                var indices = g.Constant("indices", Longs(6, -4, 4), 1, 2, 3);
                var photos = g.Node("Slice", [g.Node("Shape", [x]), Integers(g, 0), Integers(g, 1)]);
                var shape = g.Node("Concat", [photos, Integers(g, dims)], ("axis", 0L));
                return g.Node("GatherElements", [x, g.Node("Expand", [indices, shape])], ("axis", (long)axis));
            }
        );
    }

    private OperatorCase ScatterNd()
    {
        var reduction = One("none", "none", "add", "mul", "max");
        return new(
            reduction == "max" ? 18 : 16,
            [4, 5],
            (g, x) =>
            {
                // Photos go to the end, so that places are the same for all.
                var turned = g.Node("Transpose", [x], ("perm", new[] { 1L, 2L, 0L }));
                var whole = random.Next(2) == 0;
                var places = whole ? g.Constant("places", [-1L, 0L], 2, 1) : g.Constant("places", [1L, -2L, 3, 0], 2, 2);
                var rows = g.Node("Tanh", [g.Node("Slice", [turned, Integers(g, 0), Integers(g, 2), Integers(g, 0)])]);
                var updates = whole ? rows : g.Node("Gather", [rows, g.Constant("first", [0L], [])], ("axis", 1L));
                var made = g.Node("ScatterND", [turned, places, updates], Some(("reduction", reduction), reduction == "none"));
                return g.Node("Transpose", [made], ("perm", new[] { 2L, 0L, 1L }));
            }
        );
    }

    private OperatorCase Split()
    {
        var (opset, axis) = (One(7, 11, 13, 18), One(1, 2, -1));
        var length = 6;
        long[]? sizes = random.Next(2) == 0 ? One<long[]>([1, 2, 3], [3, 1, 2], [2, 2, 2], [0, 4, 2]) : null;
        var parts = sizes is not null || opset < 18 ? 3 : One(2, 3, 4, 5);
        return new(
            opset,
            [length, length, length],
            (g, x) =>
            {
                List<(string, object)> attributes = [("axis", (long)axis)];
                List<string> inputs = [x];
                if (sizes is not null && opset < 13)
                    attributes.Add(("split", sizes));
                else if (sizes is not null)
                    inputs.Add(Integers(g, sizes));
                else if (opset >= 18)
                    attributes.Add(("num_outputs", (long)parts));
                var made = g.Nodes("Split", "", parts, [.. inputs], [.. attributes]);
                return g.Node("Concat", [.. made.Reverse().Select((m, i) => i == 0 ? g.Node("Tanh", [m]) : m)], ("axis", (long)axis));
            }
        );
    }

    private OperatorCase Concat()
    {
        var axis = One(1, 2, 3, -1, -3);
        return new(
            One(7, 13),
            [4, 4, 4],
            (g, x) =>
                g.Node(
                    "Concat",
                    [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => i == 1 ? g.Node("Tanh", [x]) : x)],
                    ("axis", (long)axis)
                )
        );
    }

    private OperatorCase Expand() =>
        new(
            One(8, 13),
            [1, 4, 1, 5],
            (g, x) => g.Node("Expand", [x, Integers(g, One<long[]>([1, 3, 4, 2, 5], [4, 1, 1], [1, 1, 1, 6, 1], [5], [1, 2, 1, 1, 1]))])
        );

    private OperatorCase Tile() => new(One(7, 13), Map(), (g, x) => g.Node("Tile", [x, Integers(g, [1, .. Longs(3, 1, 3)])]));

    private OperatorCase Transpose()
    {
        long[] order = [0, .. Enumerable.Range(1, 3).OrderBy(_ => random.Next()).Select(a => (long)a)];
        return new(One(7, 13), Map(), (g, x) => g.Node("Transpose", [x], ("perm", order)));
    }

    private OperatorCase Reshape() =>
        new(
            One(7, 13, 14, 19),
            [4, 6, 5],
            (g, x) =>
                g.Node(
                    "Reshape",
                    [
                        x,
                        Integers(
                            g,
                            One<long[]>(
                                [0, 0, -1],
                                [0, -1, 5],
                                [-1, 24, 5],
                                [0, 4, 3, 2, 5],
                                [0, 0, 0, 0],
                                [0, 0, 0, 5, -1],
                                [-1, 120],
                                [0, -1]
                            )
                        ),
                    ]
                )
        );

    private OperatorCase Squeeze(string op)
    {
        var opset = One(7, 11, 13);
        if (op == "Unsqueeze")
            return new(
                opset,
                Map(),
                (g, x) =>
                    g.Node(op, [x], ("axes", One<long[]>([1], [2, 4], [4, 2], opset < 11 ? [3] : [-1], opset < 11 ? [1, 2] : [-2, 1])))
            );
        return new(
            opset,
            [1, 4, 1, 5],
            (g, x) =>
                g.Node(
                    op,
                    [x],
                    random.Next(4) == 0
                        ? []
                        : [("axes", One<long[]>([1], [3], [1, 3], [3, 1], opset < 11 ? [1] : [-2], opset < 11 ? [3] : [-4]))]
                )
        );
    }
}
