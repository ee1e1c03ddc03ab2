using System.Numerics;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>
/// Exact nearest neighbours among stored vectors. A float32 matrix product ranks all of them; whatever lies within the product's
/// rounding error of the k-th is measured again in double, so the neighbours are those of exact arithmetic, ties going to the lower row.
/// </summary>
internal sealed unsafe class NeighbourIndex
{
    /// <summary>
    /// Stored vectors whose products are ranked at once: a block of them for all queries of a block stays in the second-level cache.
    /// </summary>
    private const int PointBlock = 256;

    /// <summary>Distances below it are those of equal vectors: double rounding of a cosine reaches 1e-13 at 25,088 values.</summary>
    public const double SameVector = 1e-12;

    private readonly double[] _norms;
    private readonly float[] _scale;
    private readonly float[] _offset;
    private readonly double _largestNorm;
    private readonly int _reach;
    private readonly bool _isShared;
    private readonly Lock _memoLock = new();
    private Memo? _memo;

    /// <param name="points">M x D vectors, scaled; not copied.</param>
    /// <param name="labels">M classes.</param>
    /// <param name="scaling">What is done to queries first.</param>
    /// <param name="reach">Neighbours that are searched: the most that a head needs.</param>
    /// <param name="isShared">Whether several heads use the index, one search then serving all of them.</param>
    public NeighbourIndex(
        FeatureMatrix points,
        int[] labels,
        DistanceMetric metric,
        FeatureScaling scaling,
        int reach,
        bool isShared,
        int threads
    )
    {
        (Points, Labels, Metric, Scaling, _reach, _isShared) = (points, labels, metric, scaling, reach, isShared);
        _norms = new double[points.Rows];
        _scale = new float[points.Rows];
        _offset = new float[points.Rows];
        Blocks.For(
            points.Rows,
            PointBlock,
            threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                {
                    _norms[i] = ExactDistance.Norm(points.Row(i));
                    _scale[i] =
                        metric == DistanceMetric.Euclidean ? 1
                        : _norms[i] > 0 ? (float)(1 / _norms[i])
                        : 0;
                    _offset[i] = metric == DistanceMetric.Euclidean ? (float)(_norms[i] * _norms[i] / 2) : 0;
                }
            }
        );
        _largestNorm = _norms.Max();
    }

    public FeatureMatrix Points { get; }

    public int[] Labels { get; }

    public DistanceMetric Metric { get; }

    public FeatureScaling Scaling { get; }

    /// <summary>What stands in for a distance in float32, larger is nearer: query . point * Scale - Offset.</summary>
    public ReadOnlySpan<float> Scale => _scale;

    public ReadOnlySpan<float> Offset => _offset;

    /// <summary>Stored vectors of each row, as many as the index reaches, nearest first.</summary>
    /// <exception cref="BadInputException">A row has NaN or infinity, or its products are too large for float32.</exception>
    public Neighbours Find(FeatureMatrix x, ReadOnlySpan<int> rows, int threads)
    {
        // A head of its own has nobody to share results with: its calls need not wait for each other.
        if (!_isShared)
            return Search(x, rows, threads);

        // Heads of a path score the same rows one after the other.
        // Held during the search: a head that scores the same rows meanwhile waits for the result
        // instead of searching too.
        lock (_memoLock)
        {
            if (_memo is { } memo && memo.X.TryGetTarget(out var known) && ReferenceEquals(known, x) && rows.SequenceEqual(memo.Rows))
                return memo.Found;
            var found = Search(x, rows, threads);
            // The reference is weak: remembered results must not keep a matrix in memory.
            _memo = new(new(x), rows.ToArray(), found);
            return found;
        }
    }

    // The order of distances to one query follows from products alone: x.s / |s| for cosines, x.s - |s|^2 / 2 for
    // Euclidean distances. |x| is the same for all stored vectors and is left out.
    private Neighbours Search(FeatureMatrix x, ReadOnlySpan<int> rows, int threads)
    {
        var found = new Neighbours(new int[rows.Length * _reach], new double[rows.Length * _reach], _reach);
        var queries = rows.ToArray();
        var (given, numbers) = (x, queries);
        if (Scaling.Kind != ScalingKind.None)
        {
            x = Scaling.Apply(x, queries, threads);
            queries = [.. Enumerable.Range(0, queries.Length)];
        }

        var queryBlock = Math.Clamp(MatMul.RowsPerBlock(x.Columns, PointBlock), 4, 128);
        Blocks.For(
            queries.Length,
            queryBlock,
            threads,
            (_, start, end) =>
            {
                // In the caller's matrix: the scaled copy has other values and row numbers.
                if (SearchBlock(x, queries, start, end, found) is { } bad)
                    TrainingCheck.Refuse(given.Row(numbers[bad]), $"row {numbers[bad]}");
            }
        );
        return found;
    }

    /// <returns>The first query that is no finite vector, or whose products are not; null when there is none.</returns>
    private int? SearchBlock(FeatureMatrix x, int[] queries, int start, int end, Neighbours found)
    {
        var n = end - start;
        var products = new float[n * PointBlock];
        var lists = new CandidateList[n];
        var addresses = stackalloc float*[n];
        fixed (
            float* data = x.Data,
                points = Points.Data,
                tile = products
        )
        {
            // 1. A list per query, which keeps more than k candidates: those that float32 cannot order.
            for (var i = 0; i < n; i++)
            {
                addresses[i] = data + (nint)queries[start + i] * x.Columns;
                var norm = ExactDistance.Norm(x.Row(queries[start + i]));
                if (!double.IsFinite(norm))
                    return start + i;
                lists[i] = new(found.K, Slack(norm));
            }

            // 2. All stored vectors pass in tiles; a tile of products stays in the second-level cache until its candidates are collected.
            for (var first = 0; first < Points.Rows; first += PointBlock)
            {
                var count = Math.Min(PointBlock, Points.Rows - first);
                RowDotKernel<float>.Run(addresses, n, points + (nint)first * x.Columns, x.Columns, count, x.Columns, tile, PointBlock);
                for (var i = 0; i < n; i++)
                    Collect(lists[i], products.AsSpan(i * PointBlock, count), first);
            }
        }

        // 3. Exact distances, in float64, of the few candidates: results do not depend on the kernel.
        for (var i = 0; i < n; i++)
        {
            if (!Rank(lists[i], x.Row(queries[start + i]), found, start + i))
                return start + i;
        }

        return null;
    }

    /// <summary>
    /// Twice the largest error of the float32 stand-in for a query of this length: any order of summation loses at most columns x 2^-24 of
    /// |x||y|.
    /// </summary>
    private float Slack(double norm)
    {
        var relative = (1.01 * Points.Columns + 8) * Math.ScaleB(1, -24);
        var size = Metric == DistanceMetric.Cosine ? norm : norm * _largestNorm + _largestNorm * _largestNorm;
        return (float)(2 * relative * size);
    }

    private void Collect(CandidateList list, ReadOnlySpan<float> products, int first)
    {
        var scale = _scale.AsSpan(first, products.Length);
        var offset = _offset.AsSpan(first, products.Length);
        var i = 0;
        for (; i + Vector<float>.Count <= products.Length; i += Vector<float>.Count)
        {
            var near = new Vector<float>(products[i..]) * new Vector<float>(scale[i..]) - new Vector<float>(offset[i..]);
            // Most registers hold no candidate: one comparison passes over them.
            if (!Vector.GreaterThanOrEqualAny(near, new Vector<float>(list.Threshold)))
                continue;
            for (var j = 0; j < Vector<float>.Count; j++)
                list.Offer(near[j], first + i + j);
        }

        for (; i < products.Length; i++)
            list.Offer(products[i] * scale[i] - offset[i], first + i);
    }

    /// <returns>False when too few products were numbers: infinite ones of both signs add up to NaN.</returns>
    private bool Rank(CandidateList list, ReadOnlySpan<float> query, Neighbours found, int at)
    {
        var candidates = list.Finish();
        if (candidates.Length < found.K)
            return false;
        var ranked = new (double Distance, int Row)[candidates.Length];
        var norm = ExactDistance.Norm(query);
        for (var i = 0; i < candidates.Length; i++)
            ranked[i] = (Distance(query, norm, candidates[i]), candidates[i]);
        // Pairs are sorted by distance and then by row: ties go to the lower row.
        Array.Sort(ranked);
        for (var i = 0; i < found.K; i++)
            (found.Distances[at * found.K + i], found.Rows[at * found.K + i]) = ranked[i];
        return true;
    }

    private double Distance(ReadOnlySpan<float> query, double norm, int point)
    {
        if (Metric == DistanceMetric.Euclidean)
            return Math.Sqrt(ExactDistance.SquaredEuclidean(query, Points.Row(point)));
        var length = norm * _norms[point];
        var distance = length > 0 ? 1 - ExactDistance.Dot(query, Points.Row(point)) / length : 1;
        // Rounding makes distances of equal vectors tiny, even negative. As 0 they tie.
        return distance < SameVector ? 0 : distance;
    }

    private sealed record Memo(WeakReference<FeatureMatrix> X, int[] Rows, Neighbours Found);
}

/// <param name="Rows">Stored rows, K for each query, nearest first.</param>
/// <param name="Distances">Their distances.</param>
internal sealed record Neighbours(int[] Rows, double[] Distances, int K);
