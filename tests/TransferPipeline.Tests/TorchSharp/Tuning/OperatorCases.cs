using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>Each operator in the forms in which files have it. A name is the operator's, and after a space what is special.</summary>
internal static partial class OperatorCases
{
    private static readonly int[] Map = [4, 6, 5];

    public static string[] Reductions { get; } =
    ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceProd"];

    public static IReadOnlyDictionary<string, OperatorCase> All { get; } =
        ((IEnumerable<Dictionary<string, OperatorCase>>)[Simple(), Composed(), Windows(), Moves(), Choices()])
            .SelectMany(family => family)
            .ToDictionary(c => c.Key, c => c.Value, StringComparer.Ordinal);

    /// <summary>Operators of one tensor.</summary>
    private static Dictionary<string, OperatorCase> Simple()
    {
        var cases = new Dictionary<string, OperatorCase>(StringComparer.Ordinal);
        foreach (
            var op in (string[])
                [
                    "Relu",
                    "LeakyRelu",
                    "ThresholdedRelu",
                    "Elu",
                    "Celu",
                    "Selu",
                    "HardSwish",
                    "HardSigmoid",
                    "Sigmoid",
                    "Tanh",
                    "Softplus",
                    "Softsign",
                    "Erf",
                    "Exp",
                    "Abs",
                    "Neg",
                    "Sin",
                    "Cos",
                    "Softmax",
                    "LogSoftmax",
                    "GlobalAveragePool",
                    "GlobalMaxPool",
                    "Identity",
                    "Flatten",
                    "LpNormalization",
                ]
        )
            cases[op] = One(op);
        foreach (var op in (string[])["Log", "Sqrt", "Reciprocal"])
            cases[op] = new(17, Map, (g, x) => g.Node(op, [Positive(g, x)]));
        foreach (var op in (string[])["Sign", "Floor", "Ceil", "Round"])
            cases[op] = new(17, Map, (g, x) => g.Node("Add", [g.Node(op, [x]), x]), HasDerivative: false);
        foreach (var op in Reductions)
        {
            cases[op] = One(op, ("axes", new[] { 2L, -1L }));
            cases[$"{op} without axes"] = new(
                17,
                Map,
                (g, x) => g.Node("Mul", [x, g.Node(op, [x], ("keepdims", 1L), ("axes", new[] { 1L }))])
            );
        }

        // Columns of zeros, at which a root has no derivative.
        cases["ReduceL2 of zeros"] = new(
            17,
            Map,
            (g, x) => g.Node("ReduceL2", [g.Node("Mul", [x, g.Constant("zeros", [0f, 1, 0, 0, 1], 5)])], ("axes", new[] { 2L }))
        );
        cases["ReduceLogSum"] = new(17, Map, (g, x) => g.Node("ReduceLogSum", [Positive(g, x)], ("axes", new[] { 1L }), ("keepdims", 0L)));
        cases["ReduceSum opset 11"] = One("ReduceSum", 11, ("axes", new[] { 1L }));
        cases["ReduceMean opset 18"] = One("ReduceMean", 18, ("axes", new[] { 1L }));
        cases["Softmax opset 11"] = One("Softmax", 11, ("axis", 2L));
        cases["Softmax over channels"] = One("Softmax", ("axis", 1L));
        cases["Celu 0.5"] = One("Celu", ("alpha", 0.5f));
        cases["HardSigmoid of torch"] = One("HardSigmoid", ("alpha", 1f / 6));
        cases["Transpose"] = new(17, Map, (g, x) => g.Node("Transpose", [g.Node("Tanh", [g.Node("Transpose", [x])])]));
        cases["Transpose perm"] = One("Transpose", ("perm", new[] { 0L, 3L, 1L, 2L }));
        cases["Gelu"] = One("Gelu", 20);
        cases["Gelu tanh"] = One("Gelu", 20, ("approximate", "tanh"));
        cases["Gelu in parts"] = new(17, Map, InParts);
        cases["Swish in parts"] = new(17, Map, (g, x) => g.Node("Mul", [x, g.Node("Sigmoid", [x])]));
        cases["HardSwish in parts"] = new(13, Map, (g, x) => g.Node("Mul", [g.Node("HardSigmoid", [x], ("alpha", 1f / 6)), x]));
        cases["Mish"] = One("Mish", 18);
        cases["Clip"] = new(17, Map, (g, x) => g.Node("Clip", [x, g.Constant("min", [-0.5f]), g.Constant("max", [0.8f])]));
        cases["Clip from below"] = new(17, Map, (g, x) => g.Node("Clip", [x, g.Constant("min", [0.2f])]));
        cases["Clip opset 6"] = One("Clip", 9, ("min", 0f), ("max", 6f));
        cases["CumSum"] = new(17, Map, (g, x) => g.Node("CumSum", [x, g.Constant("axis", (ReadOnlySpan<long>)[2])]));
        cases["LpNormalization 1"] = One("LpNormalization", ("p", 1L), ("axis", 1L));
        cases["Dropout"] = new(17, Map, (g, x) => g.Node("Dropout", [x, g.Constant("ratio", [0f])]));
        return cases;
    }

    private static OperatorCase One(string op, params (string, object)[] attributes) => One(op, 17, attributes);

    private static OperatorCase One(string op, int opset, params (string, object)[] attributes) =>
        new(opset, Map, (g, x) => g.Node(op, [x], attributes));

    /// <summary>As torch's exporter writes it.</summary>
    public static string InParts(GraphWriter g, string x)
    {
        var erf = g.Node("Erf", [g.Node("Div", [x, g.Constant("root", [1.4142135f])])]);
        return g.Node("Mul", [g.Node("Mul", [x, g.Node("Add", [erf, g.Constant("one", [1f])])]), g.Constant("half", [0.5f])]);
    }

    private static string Positive(GraphWriter g, string x) => g.Node("Add", [g.Node("Mul", [x, x]), g.Constant("half", [0.5f])]);

    private static string Vector(GraphWriter g, int count, long part, params long[] dims) =>
        g.Constant("vector", OperatorCase.Values(count, part), dims.Length == 0 ? [count] : dims);

    private static string Integers(GraphWriter g, params long[] values) => g.Constant("integers", values, values.Length);
}
