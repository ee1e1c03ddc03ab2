using System.Numerics;

namespace TransferPipeline.Heads;

/// <summary>
/// Sequential minimal optimization for a C-SVM with second-order choice of the working set (WSS 2 of Fan, Chen and Lin, JMLR 2005), as
/// LIBSVM solves it. Written in b_i = y_i alpha_i and f_i = y_i - sum_j b_j K_ij: a step moves weight from j to i and adds
/// -step (K_i - K_j) to f. All rows stay in play (no shrinking): a pass over a few thousand of them in SIMD costs under a microsecond.
/// </summary>
/// <remarks>
/// One iteration:
/// <list type="number">
/// <item>i has the largest f among the rows whose b may grow; stop when that is less than the tolerance above the smallest f among the rows
/// whose b may shrink;</item>
/// <item>j gains most by the second-order model, (f_i - f_j)^2 / (K_ii + K_jj - 2 K_ij), where K_ii = K_jj = 1;</item>
/// <item>the step is the model's minimum, clipped to the bounds of both rows;</item>
/// <item>f changes, and the same pass finds the next i and the smallest f.</item>
/// </list>
/// </remarks>
internal sealed unsafe class SmoSolver
{
    private const int CheckEvery = 1024;

    /// <summary>LIBSVM's floor of the curvature of a step.</summary>
    private const double LeastCurvature = 1e-12;

    private readonly IKernelRows _kernel;
    private readonly PairProblem _pair;
    private readonly double[] _f;
    private readonly double[] _b;

    // 0 where a coefficient may grow (shrink), otherwise an infinity that takes it out of the maximum (minimum).
    private readonly double[] _up;
    private readonly double[] _down;

    public SmoSolver(IKernelRows kernel, PairProblem pair)
    {
        (_kernel, _pair) = (kernel, pair);
        (_f, _b, _up, _down) = (new double[pair.Count], new double[pair.Count], new double[pair.Count], new double[pair.Count]);
        for (var i = 0; i < pair.Count; i++)
        {
            _f[i] = i < pair.FirstCount ? 1 : -1;
            SetBounds(i);
        }
    }

    /// <param name="tolerance">Largest violation of the optimality conditions, as LIBSVM's epsilon.</param>
    public PairSolution Solve(double tolerance, int maxIterations, CancellationToken cancellation)
    {
        var iterations = 0;
        var converged = false;
        // Without a step: the first row to grow and the smallest f.
        var (most, least) = Step(0, null, null);
        while (true)
        {
            // 1. The row to grow, and the end.
            if (most.Value - least < tolerance)
            {
                converged = true;
                break;
            }

            if (iterations == maxIterations)
                break;
            if (iterations++ % CheckEvery == 0)
                cancellation.ThrowIfCancellationRequested();
            var i = most.Index;
            var rowI = Rows(i);

            // 2. The row to shrink.
            var j = Partner(rowI, most.Value);
            var rowJ = Rows(j);

            // 3. The step. LIBSVM has the same floor for a pair of equal rows.
            var curvature = Math.Max(2 - 2.0 * (j < _pair.FirstCount ? rowI.First[j] : rowI.Second[j - _pair.FirstCount]), LeastCurvature);
            var step = Math.Min((_f[i] - _f[j]) / curvature, Math.Min(Upper(i) - _b[i], _b[j] - Lower(j)));

            // Exactly at a bound, so that rounding leaves no sliver.
            var (fullI, fullJ) = (step == Upper(i) - _b[i], step == _b[j] - Lower(j));
            _b[i] = fullI ? Upper(i) : _b[i] + step;
            _b[j] = fullJ ? Lower(j) : _b[j] - step;
            SetBounds(i);
            SetBounds(j);

            // 4. The new f, and the next row to grow.
            (most, least) = Step(step, rowI, rowJ);
        }

        return Result(most.Value, least, iterations, converged);
    }

    private double Upper(int i) => i < _pair.FirstCount ? _pair.FirstBound : 0;

    private double Lower(int i) => i < _pair.FirstCount ? 0 : -_pair.SecondBound;

    private void SetBounds(int i)
    {
        _up[i] = _b[i] < Upper(i) ? 0 : double.NegativeInfinity;
        _down[i] = _b[i] > Lower(i) ? 0 : double.PositiveInfinity;
    }

    private KernelRow Rows(int i)
    {
        var row = _pair.KernelRow(i);
        return new(_kernel.Row(row, _pair.First), _kernel.Row(row, _pair.Second));
    }

    /// <summary>f -= step (K_i - K_j); then the largest f that may grow and the smallest that may shrink.</summary>
    private (Best Most, double Least) Step(double step, KernelRow? i, KernelRow? j)
    {
        var least = double.PositiveInfinity;
        var first = StepPart(0, _pair.FirstCount, step, i is null ? null : i.Value.First, j is null ? null : j.Value.First, ref least);
        var second = StepPart(
            _pair.FirstCount,
            _pair.SecondCount,
            step,
            i is null ? null : i.Value.Second,
            j is null ? null : j.Value.Second,
            ref least
        );
        return (second.Value > first.Value ? second : first, least);
    }

    private Best StepPart(int start, int count, double step, float* i, float* j, ref double least)
    {
        var best = new BestLanes(start);
        var smallest = new Vector<double>(least);
        var t = 0;
        fixed (
            double* f = &_f[start],
                up = &_up[start],
                down = &_down[start]
        )
        {
            var length = new Vector<double>(step);
            for (; t + Vector<float>.Count <= count; t += Vector<float>.Count)
            {
                var (low, high) = (Vector.Load(f + t), Vector.Load(f + t + Vector<double>.Count));
                if (i is not null)
                {
                    Vector.Widen(Vector.Load(i + t) - Vector.Load(j + t), out var lowDifference, out var highDifference);
                    low -= length * lowDifference;
                    high -= length * highDifference;
                    low.Store(f + t);
                    high.Store(f + t + Vector<double>.Count);
                }

                best.Offer(low + Vector.Load(up + t), t);
                best.Offer(high + Vector.Load(up + t + Vector<double>.Count), t + Vector<double>.Count);
                smallest = Vector.Min(smallest, low + Vector.Load(down + t));
                smallest = Vector.Min(smallest, high + Vector.Load(down + t + Vector<double>.Count));
            }

            var found = best.Reduce();
            for (var lane = 0; lane < Vector<double>.Count; lane++)
                least = Math.Min(least, smallest[lane]);
            for (; t < count; t++)
            {
                if (i is not null)
                    f[t] -= step * (i[t] - j[t]);
                if (f[t] + up[t] > found.Value)
                    found = new(f[t] + up[t], start + t);
                least = Math.Min(least, f[t] + down[t]);
            }

            return found;
        }
    }

    /// <summary>The row whose weight, moved to i, lowers the objective most by the second-order model.</summary>
    private int Partner(KernelRow i, double most)
    {
        // There is such a row: the smallest f lies below the largest by the tolerance at least.
        var first = PartnerPart(0, _pair.FirstCount, i.First, most);
        var second = PartnerPart(_pair.FirstCount, _pair.SecondCount, i.Second, most);
        return (second.Value > first.Value ? second : first).Index;
    }

    private Best PartnerPart(int start, int count, float* row, double most)
    {
        var best = new BestLanes(start);
        var t = 0;
        fixed (
            double* f = &_f[start],
                down = &_down[start]
        )
        {
            var (top, two, floor) = (new Vector<double>(most), new Vector<double>(2), new Vector<double>(LeastCurvature));
            for (; t + Vector<float>.Count <= count; t += Vector<float>.Count)
            {
                Vector.Widen(Vector.Load(row + t), out var low, out var high);
                best.Offer(Gain(top - Vector.Load(f + t) - Vector.Load(down + t), low), t);
                best.Offer(
                    Gain(top - Vector.Load(f + t + Vector<double>.Count) - Vector.Load(down + t + Vector<double>.Count), high),
                    t + Vector<double>.Count
                );
            }

            var found = best.Reduce();
            for (; t < count; t++)
            {
                var violation = most - f[t] - down[t];
                var gain = violation > 0 ? violation * violation / Math.Max(2 - 2.0 * row[t], LeastCurvature) : -1;
                if (gain > found.Value)
                    found = new(gain, start + t);
            }

            return found;

            Vector<double> Gain(Vector<double> violation, Vector<double> kernel)
            {
                var gain = violation * violation / Vector.Max(two - two * kernel, floor);
                return Vector.ConditionalSelect(Vector.GreaterThan(violation, Vector<double>.Zero), gain, new Vector<double>(-1));
            }
        }
    }

    private PairSolution Result(double most, double least, int iterations, bool converged)
    {
        // The bias is the mean of f over the free coefficients, which all equal it at the optimum.
        double sum = 0;
        var free = 0;
        for (var i = 0; i < _b.Length; i++)
        {
            if (_up[i] != 0 || _down[i] != 0)
                continue;
            sum += _f[i];
            free++;
        }

        // Without a free coefficient every value between both bounds is optimal; LIBSVM takes the middle, too.
        var bias = free > 0 ? sum / free : (most + least) / 2;
        double squares = 0,
            weights = 0,
            losses = 0;
        for (var i = 0; i < _b.Length; i++)
        {
            // sum_j b_j K_ij is y - f; the margin y (that + bias) is then 1 - y (f - bias).
            var y = i < _pair.FirstCount ? 1 : -1;
            squares += _b[i] * (y - _f[i]);
            weights += Math.Abs(_b[i]);
            losses += (y > 0 ? _pair.FirstBound : _pair.SecondBound) * Math.Max(0, y * (_f[i] - bias));
        }

        return new(_b, bias, squares / 2 + losses, weights - squares / 2, iterations, converged);
    }

    /// <summary>The parts of a kernel row that belong to the two classes.</summary>
    private readonly struct KernelRow(float* first, float* second)
    {
        public readonly float* First = first;

        public readonly float* Second = second;
    }

    private readonly record struct Best(double Value, int Index);

    /// <summary>Largest value of each SIMD lane and its first position.</summary>
    private struct BestLanes(int start)
    {
        private Vector<double> _values = new(double.NegativeInfinity);
        private Vector<double> _positions = Vector<double>.Zero;

        public void Offer(Vector<double> values, int at)
        {
            var better = Vector.GreaterThan(values, _values);
            _values = Vector.ConditionalSelect(better, values, _values);
            // Positions are float64 like the values, so that one mask selects both.
            _positions = Vector.ConditionalSelect(better, new Vector<double>(at), _positions);
        }

        /// <summary>The largest of all, the first of equals, so that the width of the registers does not matter.</summary>
        public readonly Best Reduce()
        {
            var best = new Best(double.NegativeInfinity, start);
            for (var lane = 0; lane < Vector<double>.Count; lane++)
            {
                var position = start + (int)_positions[lane] + lane;
                if (_values[lane] > best.Value || (_values[lane] == best.Value && position < best.Index))
                    best = new(_values[lane], position);
            }

            return best;
        }
    }
}
