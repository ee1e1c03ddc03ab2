using TransferPipeline.Heads.Common;
using TransferPipeline.Onnx;

namespace TransferPipeline.Heads;

/// <summary>Writes kernel, decisions, votes and scores as standard operators, in double up to the scores.</summary>
internal sealed class SvmRbfExport(SvmModel model, FeatureScaling scaling, bool breakTies)
{
    // Numbers of TensorProto.DataType.
    private const long Float = 1;
    private const long Double = 11;

    public string Write(IGraphWriter graph, string features)
    {
        var scores = Scores(graph, Decisions(graph, Kernel(graph, ScalingExport.Write(graph, features, scaling))));
        return graph.Node("Softmax", [graph.Node("Cast", [scores], ("to", Float))], ("axis", 1L));
    }

    /// <summary>N x S kernel values.</summary>
    private string Kernel(IGraphWriter graph, string features)
    {
        var (count, dimension) = (model.Vectors.Rows, model.Vectors.Columns);
        var vectors = ToDouble(graph, graph.Constant("svm.vectors", model.Vectors.Data.AsSpan(0, count * dimension), count, dimension));
        var ones = new float[dimension];
        Array.Fill(ones, 1f);
        var column = ToDouble(graph, graph.Constant("svm.ones", ones, dimension, 1));
        var x = ToDouble(graph, features);
        // The formula of RbfKernel.FromProducts with its floor of 0: a decision near 0 must have the
        // sign that it has there.
        var products = graph.Node("Gemm", OldOperators.Factors(graph, x, vectors, isDouble: true), ("transB", 1L), ("alpha", -2f));
        var square = graph.Node("MatMul", [graph.Node("Mul", [x, x]), column]);
        var squares = graph.Node(
            "Transpose",
            [graph.Node("MatMul", [graph.Node("Mul", [vectors, vectors]), column])],
            ("perm", new long[] { 1, 0 })
        );
        var distances = OldOperators.Max(graph, graph.Node("Add", [graph.Node("Add", [products, squares]), square]), Number(graph, 0));
        return graph.Node("Exp", [graph.Node("Mul", [distances, Number(graph, -model.Gamma)])]);
    }

    /// <summary>
    /// N x K x K decisions: what the support vectors of class i say about pair (i, j), less what those of j say, plus the bias.
    /// </summary>
    private string Decisions(IGraphWriter graph, string kernel)
    {
        var classes = model.Classes;
        var axis = graph.Constant("svm.columns", [1L], 1);
        var sums = new string[classes];
        for (var c = 0; c < classes; c++)
        {
            var (start, end) = (
                graph.Constant("svm.start", [(long)model.Starts[c]], 1),
                graph.Constant("svm.end", [(long)model.Starts[c + 1]], 1)
            );
            var part = graph.Node("Slice", [kernel, start, end, axis]);
            var coefficients = ToDouble(graph, graph.Constant("svm.coefficients", model.Coefficients[c], classes, model.VectorsOf(c)));
            sums[c] = graph.Node("MatMul", [part, graph.Node("Transpose", [coefficients], ("perm", new long[] { 1, 0 }))]);
        }

        var all = graph.Node(
            "Reshape",
            [graph.Node("Concat", sums, ("axis", 1L)), graph.Constant("svm.pairs", [-1L, classes, classes], 3)]
        );
        var other = graph.Node("Transpose", [all], ("perm", new long[] { 0, 2, 1 }));
        var biases = ToDouble(graph, graph.Constant("svm.biases", model.Biases, 1, classes, classes));
        return graph.Node("Add", [graph.Node("Sub", [all, other]), biases]);
    }

    /// <summary>N x K scores, as <see cref="OneVersusOne"/> makes them.</summary>
    private string Scores(IGraphWriter graph, string decisions)
    {
        var classes = model.Classes;
        var axis = graph.Constant("svm.others", [2L], 1);
        var sum = graph.Node("ReduceSum", [decisions, axis], ("keepdims", 0L));
        if (classes == 2)
            return sum;
        var (before, after) = (new float[classes * classes], new float[classes * classes]);
        for (var i = 0; i < classes; i++)
        {
            for (var j = 0; j < classes; j++)
                (before[i * classes + j], after[i * classes + j]) = (i < j ? 1 : 0, i > j ? 1 : 0);
        }

        var above = ToDouble(graph, graph.Node("Greater", [decisions, Number(graph, 0)]));
        // GreaterOrEqual is of opset 12.
        var notBelow = ToDouble(graph, graph.Node("Not", [graph.Node("Less", [decisions, Number(graph, 0)])]));
        var won = graph.Node(
            "Add",
            [
                graph.Node("Mul", [above, ToDouble(graph, graph.Constant("svm.before", before, 1, classes, classes))]),
                graph.Node("Mul", [notBelow, ToDouble(graph, graph.Constant("svm.after", after, 1, classes, classes))]),
            ]
        );
        var votes = graph.Node("ReduceSum", [won, axis], ("keepdims", 0L));
        var size = graph.Node("Mul", [graph.Node("Add", [graph.Node("Abs", [sum]), Number(graph, 1)]), Number(graph, 3)]);
        var scores = graph.Node("Add", [votes, graph.Node("Div", [sum, size])]);
        return breakTies ? scores : FirstOfTied(graph, votes, scores);
    }

    /// <summary>Exchanges the largest score with that of the first class of most votes.</summary>
    private string FirstOfTied(IGraphWriter graph, string votes, string scores)
    {
        if (OldOperators.Needed(graph))
            return FirstOfTiedOld(graph, votes, scores);
        var k = graph.Constant("svm.one", [1L], 1);
        var best = graph.Nodes("TopK", "", 2, [scores, k], ("axis", 1L), ("largest", 1L), ("sorted", 1L));
        // Of equal votes ArgMax takes the first, the class that LIBSVM predicts.
        var first = graph.Node("ArgMax", [votes], ("axis", 1L), ("keepdims", 1L));
        var firstScore = graph.Node("GatherElements", [scores, first], ("axis", 1L));
        // Two exchanges in sequence. Where both places are one class, its score is written back.
        var exchanged = graph.Node("ScatterElements", [scores, best[1], firstScore], ("axis", 1L));
        return graph.Node("ScatterElements", [exchanged, first, best[0]], ("axis", 1L));
    }

    private string FirstOfTiedOld(IGraphWriter graph, string votes, string scores)
    {
        var top = graph.Nodes("TopK", "", 2, [scores, graph.Constant("svm.one", [1L], 1)], ("axis", 1L));
        var best = OldOperators.OneHot(graph, graph.Node("Squeeze", [top[1]], ("axes", new long[] { 1 })), 1, model.Classes, Double);
        // ArgMax of opset 7 takes float32; votes are small whole numbers.
        var first = OldOperators.OneHot(
            graph,
            graph.Node("ArgMax", [graph.Node("Cast", [votes], ("to", Float))], ("axis", 1L), ("keepdims", 0L)),
            1,
            model.Classes,
            Double
        );
        var firstScore = graph.Node("ReduceSum", [graph.Node("Mul", [scores, first])], ("axes", new long[] { 1 }), ("keepdims", 1L));
        return OldOperators.Replace(graph, OldOperators.Replace(graph, scores, best, firstScore), first, top[0]);
    }

    private static string ToDouble(IGraphWriter graph, string tensor) => graph.Node("Cast", [tensor], ("to", Double));

    private static string Number(IGraphWriter graph, float value) => ToDouble(graph, graph.Constant("svm.number", [value], 1));
}
