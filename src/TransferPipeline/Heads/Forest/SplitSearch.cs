using System.Numerics;
using System.Runtime.Intrinsics;

namespace TransferPipeline.Heads;

/// <summary>
/// Finds the best division of a node's rows in one column. Large nodes of few classes count rows by bin and class and scan the bins with
/// SIMD; otherwise rows are threaded into lists by bin, which costs the same whatever the number of bins and classes.
/// </summary>
internal sealed unsafe class SplitSearch
{
    /// <summary>Above it a scan over all bins costs less than walking lists (measured with 10 classes).</summary>
    private const int LargeNode = 128;

    /// <summary>Most classes for the counting scan.</summary>
    private const int FewClasses = 16;

    /// <summary>Sums of squared counts stay below 2^31 up to this weight.</summary>
    private const int MostWeight = 46340;

    private readonly BinnedFeatures _bins;
    private readonly TreeLimits _options;
    private readonly double[]? _classWeights;
    private readonly double[] _leftWeights;
    private readonly int[] _leftCounts;
    private readonly int[] _totalCounts;
    private readonly int[] _heads = new int[BinnedFeatures.MaxBins];
    private readonly int[] _next;
    private readonly int[] _histogram = new int[BinnedFeatures.MaxBins * FewClasses];
    private readonly int[] _rowCounts = new int[BinnedFeatures.MaxBins];

    /// <param name="classWeights">Null for equal weights.</param>
    public SplitSearch(BinnedFeatures bins, TreeLimits options, int classes, double[]? classWeights)
    {
        (_bins, _options, _classWeights) = (bins, options, classWeights);
        (_leftWeights, _next, Totals) = (new double[classes], new int[bins.Rows], new double[classes]);
        // The totals fill a whole register, from which the counting scan loads them.
        (_leftCounts, _totalCounts) = (new int[classes], new int[Math.Max(FewClasses, classes)]);
        Array.Fill(_heads, -1);
    }

    /// <summary>Weight of each class in the node.</summary>
    public double[] Totals { get; }

    /// <summary>Weight of the node.</summary>
    public double Weight { get; private set; }

    /// <summary>Classes that the node has.</summary>
    public int ClassesPresent { get; private set; }

    private double SquaredTotals { get; set; }

    /// <summary>Sums the node's classes; call it before <see cref="Best"/>.</summary>
    /// <param name="samples">Class and count of each row, see <see cref="Sample"/>.</param>
    public void Enter(ReadOnlySpan<uint> samples)
    {
        Array.Clear(_totalCounts);
        foreach (var sample in samples)
            // Whole numbers first: sums of float64 weights would depend on the order of the rows.
            _totalCounts[Sample.Class(sample)] += Sample.Count(sample);
        (Weight, SquaredTotals, ClassesPresent) = (0, 0, 0);
        for (var c = 0; c < Totals.Length; c++)
        {
            var total = _classWeights is null ? _totalCounts[c] : _totalCounts[c] * _classWeights[c];
            Totals[c] = total;
            Weight += total;
            SquaredTotals += total * total;
            ClassesPresent += total > 0 ? 1 : 0;
        }
    }

    /// <summary>Offers the column's best division; false when the column is constant in the node.</summary>
    public bool Best(int column, ReadOnlySpan<int> rows, ReadOnlySpan<uint> samples, ref Split best)
    {
        fixed (byte* codes = _bins.Codes(column))
        fixed (int* r = rows)
        fixed (uint* s = samples)
        {
            if (_classWeights is not null)
                return ByWeightedLists(column, codes, r, s, rows.Length, ref best);
            if (rows.Length > LargeNode && Totals.Length <= FewClasses && Weight <= MostWeight)
                return ByCounting(column, codes, r, s, rows.Length, ref best);
            return ByLists(column, codes, r, s, rows.Length, ref best);
        }
    }

    /// <summary>As much as 1 - Gini impurity, times the weight, of both sides together; one division.</summary>
    public static double Score(double leftSquares, double leftWeight, double rightSquares, double rightWeight) =>
        (leftSquares * rightWeight + rightSquares * leftWeight) / (leftWeight * rightWeight);

    /// <summary>Chains the rows into one list per bin; the bits mark the bins that have rows.</summary>
    private static void Thread(byte* codes, int* rows, int n, int* heads, int* next, ulong* used)
    {
        for (var i = 0; i < n; i++)
        {
            int code = codes[rows[i]];
            next[i] = heads[code];
            heads[code] = i;
            // A small node has rows in few of the 256 bins; the bits let the scan skip the others.
            used[code >> 6] |= 1UL << code;
        }
    }

    private bool ByLists(int column, byte* codes, int* rows, uint* samples, int n, ref Split best)
    {
        var used = stackalloc ulong[BinnedFeatures.MaxBins / 64];
        fixed (
            int* heads = _heads,
                next = _next,
                counts = _leftCounts,
                totals = _totalCounts
        )
        {
            Thread(codes, rows, n, heads, next, used);
            // Whole numbers: squares updated by differences stay exact, however many rows move to the left.
            long leftSquares = 0,
                rightSquares = (long)SquaredTotals,
                leftWeight = 0,
                weight = (long)Weight;
            var (leftRows, last, least, found) = (0, -1, _options.MinSamplesLeaf, best.Score);
            for (var word = 0; word < BinnedFeatures.MaxBins / 64; word++)
            {
                for (var bits = used[word]; bits != 0; bits &= bits - 1)
                {
                    var bin = (word << 6) + BitOperations.TrailingZeroCount(bits);
                    // min_samples_leaf counts rows and not draws, as in scikit-learn.
                    if (leftRows >= least && n - leftRows >= least)
                    {
                        var score = Score(leftSquares, leftWeight, rightSquares, weight - leftWeight);
                        if (score > found)
                        {
                            best.Offer(score, column, last, bin);
                            found = score;
                        }
                    }

                    for (var i = heads[bin]; i >= 0; i = next[i])
                    {
                        var (c, count) = (Sample.Class(samples[i]), Sample.Count(samples[i]));
                        long left = counts[c];
                        // (l + c)^2 - l^2 on the left, (r - c)^2 - r^2 on the right.
                        leftSquares += count * (2 * left + count);
                        rightSquares += count * (count - 2 * (totals[c] - left));
                        counts[c] += count;
                        leftWeight += count;
                        leftRows++;
                    }

                    (heads[bin], last) = (-1, bin);
                }
            }

            for (var i = 0; i < n; i++)
                // Only the node's classes were counted: deep nodes have few of many.
                counts[Sample.Class(samples[i])] = 0;
        }

        return Several(used);
    }

    private bool ByWeightedLists(int column, byte* codes, int* rows, uint* samples, int n, ref Split best)
    {
        var used = stackalloc ulong[BinnedFeatures.MaxBins / 64];
        fixed (
            int* heads = _heads,
                next = _next
        )
        {
            Thread(codes, rows, n, heads, next, used);
            double leftSquares = 0,
                rightSquares = SquaredTotals,
                leftWeight = 0;
            var (leftRows, last, least) = (0, -1, _options.MinSamplesLeaf);
            for (var word = 0; word < BinnedFeatures.MaxBins / 64; word++)
            {
                for (var bits = used[word]; bits != 0; bits &= bits - 1)
                {
                    var bin = (word << 6) + BitOperations.TrailingZeroCount(bits);
                    if (leftRows >= least && n - leftRows >= least)
                        best.Offer(Score(leftSquares, leftWeight, rightSquares, Weight - leftWeight), column, last, bin);
                    for (var i = heads[bin]; i >= 0; i = next[i])
                    {
                        var c = Sample.Class(samples[i]);
                        var weight = Sample.Count(samples[i]) * _classWeights![c];
                        var left = _leftWeights[c];
                        leftSquares += weight * (2 * left + weight);
                        rightSquares += weight * (weight - 2 * (Totals[c] - left));
                        _leftWeights[c] = left + weight;
                        leftWeight += weight;
                        leftRows++;
                    }

                    (heads[bin], last) = (-1, bin);
                }
            }

            for (var i = 0; i < n; i++)
                _leftWeights[Sample.Class(samples[i])] = 0;
        }

        return Several(used);
    }

    private static bool Several(ulong* used) =>
        BitOperations.PopCount(used[0])
            + BitOperations.PopCount(used[1])
            + BitOperations.PopCount(used[2])
            + BitOperations.PopCount(used[3])
        > 1;

    private bool ByCounting(int column, byte* codes, int* rows, uint* samples, int n, ref Split best)
    {
        Array.Clear(_histogram);
        Array.Clear(_rowCounts);
        fixed (
            int* histogram = _histogram,
                rowCounts = _rowCounts,
                totalCounts = _totalCounts
        )
        {
            for (var i = 0; i < n; i++)
            {
                int code = codes[rows[i]];
                histogram[code * FewClasses + Sample.Class(samples[i])] += Sample.Count(samples[i]);
                rowCounts[code]++;
            }

            var totals = Vector512.Load(totalCounts);
            var left = Vector512<int>.Zero;
            var (leftRows, leftWeight, last, least) = (0, 0, -1, _options.MinSamplesLeaf);
            var (leftSquares, rightSquares) = (0, 0);
            for (var bin = 0; bin < BinnedFeatures.MaxBins; bin++)
            {
                if (rowCounts[bin] == 0)
                    continue;
                if (leftRows >= least && n - leftRows >= least)
                    best.Offer(Score(leftSquares, leftWeight, rightSquares, Weight - leftWeight), column, last, bin);
                left += Vector512.Load(histogram + bin * FewClasses);
                var right = totals - left;
                leftSquares = Vector512.Sum(left * left);
                rightSquares = Vector512.Sum(right * right);
                leftWeight = Vector512.Sum(left);
                leftRows += rowCounts[bin];
                last = bin;
            }

            // More rows than the last bin has: two bins or more have rows.
            return last >= 0 && leftRows > rowCounts[last];
        }
    }
}
