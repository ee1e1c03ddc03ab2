using TransferPipeline.Tests.Backbones;

namespace TransferPipeline.Tests.Tuning;

/// <summary>Small classifiers of the families that train in a way of their own.</summary>
internal static class TunedNetworks
{
    /// <summary>What <see cref="Transformer"/> has besides its layers.</summary>
    public sealed record Tables(string Token, string Positions, string Bias, string Mask);

    /// <summary>A ViT of one block: patches, a class token, positions, and attention with a bias and a mask.</summary>
    public static (SmallModel Model, Tables Tables) Transformer()
    {
        const int D = 8;
        const int Tokens = 10;
        var m = new SmallModel();
        var map = m.Node("Conv", [m.Input, m.Weights(0.3f, D, 3, 4, 4), m.Weights(0.1f, D)], ("strides", new long[] { 4, 4 }));
        var patches = m.Node("Transpose", [m.Node("Reshape", map, m.Shape(0, D, -1))], ("perm", new long[] { 0, 2, 1 }));
        var tables = new Tables(
            m.Weights(0.5f, 1, 1, D),
            m.Weights(0.5f, 1, Tokens, D),
            m.Weights(0.5f, 1, Tokens, Tokens),
            // No token sees the one behind it.
            m.Graph.Constant("mask", [.. Enumerable.Range(0, Tokens * Tokens).Select(i => i % 11 == 1 ? -100f : 0)], 1, Tokens, Tokens)
        );
        var photos = m.Node("Slice", m.Node("Shape", m.Input), m.Shape(0), m.Shape(1));
        var token = m.Node("Expand", tables.Token, m.Node("Concat", [photos, m.Shape(1, 1)], ("axis", 0L)));
        var x = m.Node("Add", m.Node("Concat", [token, patches], ("axis", 1L)), tables.Positions);
        var normed = Norm(x);
        var scores = m.Node("MatMul", Linear(normed, D, D), m.Node("Transpose", [Linear(normed, D, D)], ("perm", new long[] { 0, 2, 1 })));
        var seen = m.Node("Add", m.Node("Add", m.Node("Mul", scores, m.Scalar(0.35f)), tables.Bias), tables.Mask);
        var made = m.Node("MatMul", m.Node("Softmax", [seen], ("axis", -1L)), Linear(normed, D, D));
        x = m.Node("Add", x, Linear(made, D, D));
        x = m.Node("Add", x, Linear(m.Node("Relu", Linear(Norm(x), D, 2 * D)), 2 * D, D));
        var first = m.Node("Gather", [Norm(x), m.Graph.Constant("first", [0L], [])], ("axis", 1L));
        m.Output(m.Gemm(first, D, SmallModel.Classes));
        return (m, tables);

        string Norm(string tokens) => m.Node("LayerNormalization", tokens, m.Weights(0.5f, D), m.Weights(0.1f, D));

        string Linear(string tokens, int from, int to) =>
            m.Node("Add", m.Weights(0.1f, to), m.Node("MatMul", tokens, m.Weights(0.4f, from, to)));
    }

    /// <summary>As Inception v3: a second classifier with a convolution of its own on an earlier map.</summary>
    /// <returns>The early map, from which the branch comes, and the branch's weights.</returns>
    public static (SmallModel Model, string Early, string Branch) WithAuxiliary(int classes = SmallModel.Classes)
    {
        var m = new SmallModel();
        var early = m.ConvRelu(m.Input, 3, 6);
        var branch = m.Weights(0.4f, 5, 6, 1, 1);
        var side = m.Node("Relu", m.Node("Conv", early, branch, m.Weights(0.1f, 5)));
        var scores = m.Node(
            "Gemm",
            [m.Node("Flatten", m.Node("GlobalAveragePool", side)), m.Weights(0.5f, classes, 5), m.Weights(0.1f, classes)],
            ("transB", 1L)
        );
        var deep = m.ConvRelu(m.ConvRelu(early, 6, 8), 8, 8);
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", deep)), 8, SmallModel.Classes));
        m.Output(scores, -1, classes);
        return (m, early, branch);
    }
}
