using TransferPipeline.Heads.Common;
using TransferPipeline.Onnx;

namespace TransferPipeline.Heads;

/// <summary>
/// Writes neighbours and votes as standard operators, in the same two steps as <see cref="NeighbourIndex"/>: a float32 product
/// picks a few more than k rows, which are then measured in double, so that a near tie falls as it did in training.
/// </summary>
internal sealed class KnnExport(NeighbourIndex index, int classCount, int k, bool byDistance)
{
    /// <summary>Rows beyond k that are measured in double.</summary>
    private const int Spare = 16;

    // Numbers of TensorProto.DataType.
    private const long Float = 1;
    private const long Double = 11;

    /// <returns>N x K shares of votes.</returns>
    public string Write(IGraphWriter graph, string features)
    {
        features = ScalingExport.Write(graph, features, index.Scaling);
        var (m, d) = (index.Points.Rows, index.Points.Columns);
        var points = graph.Constant("knn.points", index.Points.Data.AsSpan(0, m * d), m, d);
        var rows = NearRows(graph, features, points, Math.Min(m, k + Spare));
        var distances = Distances(graph, features, graph.Node("Gather", [points, rows], ("axis", 0L)));
        var (nearest, oneHot) = OldOperators.Needed(graph)
            ? NeighboursOld(graph, rows, distances, Math.Min(m, k + Spare))
            : Neighbours(graph, rows, distances);
        var weights = byDistance ? DistanceWeights(graph, nearest) : UniformWeights(graph);
        // A product of weights with one-hot classes adds up the votes: ScatterElements adds from opset 16 on only.
        var votes = graph.Node("MatMul", [weights, oneHot]);
        return graph.Node("Reshape", [votes, graph.Constant("knn.shape", [-1L, classCount], 2)]);
    }

    /// <summary>N x k distances, ascending, and N x k x K classes of those rows, one 1 each.</summary>
    private (string Distances, string Classes) Neighbours(IGraphWriter graph, string rows, string distances)
    {
        var nearest = graph.Nodes(
            "TopK",
            "",
            2,
            [distances, graph.Constant("knn.k", [(long)k], 1)],
            ("axis", -1L),
            ("largest", 0L),
            ("sorted", 1L)
        );
        var neighbours = graph.Node("GatherElements", [rows, nearest[1]], ("axis", 1L));
        var oneHot = graph.Node(
            "OneHot",
            [Labels(graph, neighbours), graph.Constant("knn.classes", [(long)classCount], 1), graph.Constant("knn.off_on", [0f, 1f], 2)],
            ("axis", -1L)
        );
        return (nearest[0], oneHot);
    }

    /// <summary>
    /// The same before opset 11: the k of c candidates are picked by a product of N x k x c ones and zeros with the candidates' classes.
    /// </summary>
    private (string Distances, string Classes) NeighboursOld(IGraphWriter graph, string rows, string distances, int candidates)
    {
        var (nearest, places) = OldOperators.Smallest(graph, distances, k);
        var picked = OldOperators.OneHot(graph, places, 2, candidates, Float);
        return (nearest, graph.Node("MatMul", [picked, OldOperators.OneHot(graph, Labels(graph, rows), 2, classCount, Float)]));
    }

    private string Labels(IGraphWriter graph, string rows) =>
        graph.Node(
            "Gather",
            [graph.Constant("knn.labels", Array.ConvertAll(index.Labels, l => (long)l), index.Points.Rows), rows],
            ("axis", 0L)
        );

    /// <summary>N x c stored rows, ascending (a later tie between equal distances then goes to the lower row).</summary>
    private string NearRows(IGraphWriter graph, string features, string points, int count)
    {
        var (d, m) = (index.Points.Columns, index.Points.Rows);
        var flat = graph.Node("Reshape", [features, graph.Constant("knn.rows", [-1L, d], 2)]);
        var near = graph.Node("Gemm", OldOperators.Factors(graph, flat, points, isDouble: false), ("transB", 1L));
        near =
            index.Metric == DistanceMetric.Cosine
                ? graph.Node("Mul", [near, graph.Constant("knn.scale", index.Scale, m)])
                : graph.Node("Sub", [near, graph.Constant("knn.offset", index.Offset, m)]);
        var c = graph.Constant("knn.candidates", [(long)count], 1);
        if (OldOperators.Needed(graph))
            return OldOperators.Sort(graph, graph.Nodes("TopK", "", 2, [near, c], ("axis", -1L))[1], count);
        var top = graph.Nodes("TopK", "", 2, [near, c], ("axis", -1L), ("largest", 1L), ("sorted", 1L));
        return graph.Nodes("TopK", "", 2, [top[1], c], ("axis", -1L), ("largest", 0L), ("sorted", 1L))[0];
    }

    /// <summary>N x c distances in double from N x c x D candidates.</summary>
    private string Distances(IGraphWriter graph, string features, string candidates)
    {
        var d = index.Points.Columns;
        var ones = new float[d];
        Array.Fill(ones, 1f);
        var column = ToDouble(graph, graph.Constant("knn.ones", ones, d, 1));
        // A length of 0 keeps the batch axis, so the batch stays dynamic.
        var matrix = graph.Constant("knn.matrix", [0L, -1L], 2);
        var near = ToDouble(graph, candidates);
        if (index.Metric == DistanceMetric.Euclidean)
        {
            var query = ToDouble(graph, graph.Node("Reshape", [features, graph.Constant("knn.query", [-1L, 1L, d], 3)]));
            var difference = graph.Node("Sub", [near, query]);
            var squares = graph.Node("MatMul", [graph.Node("Mul", [difference, difference]), column]);
            return graph.Node("Sqrt", [graph.Node("Reshape", [squares, matrix])]);
        }

        var vector = ToDouble(graph, graph.Node("Reshape", [features, graph.Constant("knn.query", [-1L, d, 1L], 3)]));
        var products = graph.Node("Reshape", [graph.Node("MatMul", [near, vector]), matrix]);
        var lengths = graph.Node("Reshape", [graph.Node("MatMul", [graph.Node("Mul", [near, near]), column]), matrix]);
        var flat = ToDouble(graph, graph.Node("Reshape", [features, graph.Constant("knn.flat", [-1L, d], 2)]));
        var length = graph.Node("MatMul", [graph.Node("Mul", [flat, flat]), column]);
        var both = graph.Node("Sqrt", [graph.Node("Mul", [lengths, length])]);

        // A vector of length zero is at distance 1: its product, zero, is divided by the smallest length instead.
        var cosine = graph.Node("Div", [products, OldOperators.Max(graph, both, Number(graph, 1e-30f))]);
        var distance = graph.Node("Sub", [Number(graph, 1), cosine]);
        // As NeighbourIndex.Distance: a distance that is only rounding is 0, so equal vectors tie as they do there.
        return OldOperators.Where(
            graph,
            graph.Node("Less", [distance, Number(graph, (float)NeighbourIndex.SameVector)]),
            Number(graph, 0),
            distance
        );
    }

    private string UniformWeights(IGraphWriter graph)
    {
        // The head divides its votes by their number; here the shares are constants.
        var share = new float[k];
        Array.Fill(share, 1f / k);
        return graph.Constant("knn.share", share, 1, 1, k);
    }

    /// <summary>N x 1 x k weights that sum to one; neighbours at no distance outvote the others.</summary>
    private string DistanceWeights(IGraphWriter graph, string distances)
    {
        var same = Number(graph, (float)NeighbourIndex.SameVector);
        // Distances ascend, so the first one shows whether any neighbor is an equal vector.
        var first = graph.Node(
            "Slice",
            [distances, graph.Constant("knn.from", [0L], 1), graph.Constant("knn.to", [1L], 1), graph.Constant("knn.axis", [1L], 1)]
        );
        var anySame = graph.Node("Less", [first, same]);
        var isSame = graph.Node("Cast", [graph.Node("Less", [distances, same])], ("to", Double));
        // The inverse is computed where it is not chosen too: of distance 0 it would be infinite, and
        // OldOperators.Where multiplies it by 0.
        var inverse = graph.Node("Div", [Number(graph, 1), OldOperators.Max(graph, distances, same)]);
        var weights = OldOperators.Where(graph, anySame, isSame, inverse);
        var ones = new float[k];
        Array.Fill(ones, 1f);
        var total = graph.Node("MatMul", [weights, ToDouble(graph, graph.Constant("knn.sum", ones, k, 1))]);
        var shares = graph.Node("Cast", [graph.Node("Div", [weights, total])], ("to", Float));
        return graph.Node("Reshape", [shares, graph.Constant("knn.votes", [-1L, 1L, k], 3)]);
    }

    private static string ToDouble(IGraphWriter graph, string tensor) => graph.Node("Cast", [tensor], ("to", Double));

    private static string Number(IGraphWriter graph, float value) => ToDouble(graph, graph.Constant("knn.number", [value], 1));
}
