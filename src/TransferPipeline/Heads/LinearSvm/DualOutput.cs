using System.Runtime.InteropServices;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads;

/// <summary>
/// One output against the rest in <see cref="DualCoordinateDescent"/>: its dual variables, its weights and the rows that still take part in
/// its sweeps. Weights are float32 until their rounding could show in the gap, then float64.
/// </summary>
/// <remarks>
/// Dual coordinate descent for the squared hinge of Hsieh, Chang, Lin, Keerthi and Sundararajan (ICML 2008), algorithm 1 with their
/// shrinking (section 3.2). With C_i the row's cost, D_ii = 1 / (2 C_i) (<c>ridge</c> here) and y_i = 1 or -1:
/// <list type="number">
/// <item>slope of the dual in row i: G = y_i w'x_i - 1 + D_ii a_i;</item>
/// <item>a row with a_i = 0 and G above the last sweep's largest violation leaves the sweeps;</item>
/// <item>a_i becomes max(0, a_i - G / (x_i'x_i + D_ii));</item>
/// <item>w moves by y_i x_i times the change of a_i;</item>
/// <item>after a sweep, the duality gap decides whether to stop, to go on in float64, or to leave the output to L-BFGS.</item>
/// </list>
/// </remarks>
internal sealed unsafe class DualOutput
{
    /// <summary>An output goes on alone when fewer than this share of the rows take part.</summary>
    private const double AloneShare = 0.5;

    /// <summary>Relative gap from which the weights are kept in float64.</summary>
    private const double FinestSingle = 1e-6;

    /// <summary>Sweeps from which the number of further sweeps is extrapolated.</summary>
    private const int Window = 40;

    /// <summary>The output is left to L-BFGS when the remaining sweeps would cost more than this many passes over all rows.</summary>
    private const double MaxPasses = 100;

    /// <summary>
    /// The same while fewer rows than values take part: L-BFGS's problem is then the worse conditioned one, and sweeps are short.
    /// </summary>
    private const int WindowOfFew = 400;

    private const double MaxPassesOfFew = 2000;

    /// <summary>By how much a margin in float32 may be off.</summary>
    private const float SinglePrecisionMargin = 1e-3f;

    private readonly RowSet _rows;
    private readonly float[] _lengths;
    private readonly double[] _duals;
    private readonly int _own;
    private readonly float[] _ridges;
    private readonly bool _bias;
    private readonly int _stride;
    private readonly float* _single;
    private readonly double* _double;
    private readonly double[] _doubleOwner;
    private bool _inDouble;
    private double _tolerance;

    /// <summary>Rows that take part, once the output is alone.</summary>
    private int[] _active = [];

    private int _activeCount;

    /// <summary>Slope beyond which a row without a dual stays out: the largest violation of the last sweep.</summary>
    private double _limit = double.PositiveInfinity;

    private double _mostViolation = double.NegativeInfinity;
    private double _dual;
    private double _gap;
    private double _windowGap = double.PositiveInfinity;

    /// <param name="duals">Where to start; changed by the sweeps.</param>
    /// <param name="lengths">Squared length of each row.</param>
    /// <param name="w">The output's weights and, after them, its bias; overwritten by those that belong to the duals.</param>
    /// <param name="tolerance">Relative gap at which to stop.</param>
    public DualOutput(
        RowSet rows,
        int own,
        LossWeights weights,
        double[] duals,
        float[] lengths,
        bool bias,
        float* w,
        int stride,
        double tolerance
    )
    {
        (_rows, _own, _duals, _lengths, _bias, _stride, _tolerance) = (rows, own, duals, lengths, bias, stride, tolerance);
        _single = w;
        // Pinned: the pointer is kept as long as the output.
        _doubleOwner = GC.AllocateArray<double>(stride, pinned: true);
        _double = (double*)Marshal.UnsafeAddrOfPinnedArrayElement(_doubleOwner, 0);
        _activeCount = rows.Count;
        _ridges = new float[weights.Row.Length];
        for (var label = 0; label < _ridges.Length; label++)
            _ridges[label] = 0.5f / weights.Of(label, own);
        TakeWeightsOfDuals();
    }

    /// <summary>Whether the gap is reached by the sweeps' own account, or out of reach.</summary>
    public bool Done { get; private set; }

    /// <summary>Whether the gap falls so slowly that L-BFGS is faster.</summary>
    public bool IsStalled { get; private set; }

    public int Sweeps { get; private set; }

    /// <summary>Makes the row's dual variable optimal; false when the row may leave the sweeps.</summary>
    public bool Visit(int i)
    {
        // 1. The slope.
        var ridge = _ridges[_rows.Labels[i]];
        var output = _inDouble
            ? FloatVectors.Dot(_double, _rows.Rows[i], _rows.Length) + (_bias ? _double[_rows.Length] : 0)
            : FloatVectors.DotSingle(_single, _rows.Rows[i], _rows.Length) + (_bias ? _single[_rows.Length] : 0);
        var old = _duals[i];
        var slope = Sign(i) * output - 1 + ridge * old;

        // 2. At the bound: the row leaves, or stays as it is.
        if (old == 0)
        {
            if (slope > _limit)
            {
                _activeCount--;
                return false;
            }

            if (slope >= 0)
            {
                _mostViolation = Math.Max(_mostViolation, 0);
                return true;
            }
        }

        // 3. The minimum of the dual along this coordinate, and the dual's objective there.
        _mostViolation = Math.Max(_mostViolation, slope);
        var length = _lengths[i] + ridge;
        _duals[i] = Math.Max(0, old - slope / length);
        var step = _duals[i] - old;
        _dual -= step * (slope + 0.5 * length * step);

        // The duality gap is the sum over rows of C (hinge - dual / 2C)^2; a row whose dual variable and hinge are both 0 adds nothing.
        _gap += 0.5 * slope * slope / ridge;

        // 4. The weights that belong to the dual variables.
        if (_inDouble)
            Add(_double, i, step);
        else
            Add(_single, i, step);
        return true;
    }

    /// <summary>A sweep over the rows that take part, in an order of its own.</summary>
    public void Sweep()
    {
        var count = _activeCount;
        new Random(Sweeps).Shuffle(_active.AsSpan(0, count));
        var kept = 0;
        for (var at = 0; at < count; at++)
        {
            var i = _active[at];
            if (at + 1 < count)
                FloatVectors.Prefetch(_rows.Rows[_active[at + 1]], _rows.Length);
            if (Visit(i))
                _active[kept++] = i;
        }

        EndSweep();
    }

    /// <summary>Whether the output leaves its group, because it is done or goes on alone.</summary>
    /// <param name="active">Of each row the outputs it takes part in; this one's is <paramref name="bit"/>.</param>
    public bool EndSweepTogether(uint[] active, uint bit)
    {
        EndSweep();
        if (!Done && _activeCount >= AloneShare * active.Length)
            return false;
        _active = new int[_activeCount];
        var count = 0;
        for (var i = 0; i < active.Length; i++)
        {
            if ((active[i] & bit) != 0)
                _active[count++] = i;
        }

        return true;
    }

    /// <summary>
    /// Lets all rows take part again, in float64: <see cref="CurrentSolution"/>'s gap is over the tolerance, because of rows that had left
    /// or of float32's rounding.
    /// </summary>
    public void Resume(double tolerance)
    {
        (Done, _inDouble, _tolerance, _limit, _windowGap) = (false, true, tolerance, double.PositiveInfinity, double.PositiveInfinity);
        _active = [.. Enumerable.Range(0, _rows.Count)];
        _activeCount = _active.Length;
    }

    /// <summary>Sums weights and the dual's objective anew from the duals, free of what the steps rounded.</summary>
    public void TakeWeightsOfDuals()
    {
        Array.Clear(_doubleOwner);
        _dual = 0;
        for (var i = 0; i < _duals.Length; i++)
        {
            // Rows beyond the margin have a dual variable of 0, which saves their vectors from being read.
            if (_duals[i] == 0)
                continue;
            Add(_double, i, _duals[i]);
            _dual += _duals[i] - 0.5 * _ridges[_rows.Labels[i]] * _duals[i] * _duals[i];
        }

        for (var d = 0; d < _stride; d++)
        {
            _single[d] = (float)_double[d];
            _dual -= 0.5 * _double[d] * _double[d];
        }
    }

    /// <summary>Loss of a row in float64, with the float32 weights; <paramref name="about"/> is its output in float32.</summary>
    public double Loss(int i, float about)
    {
        // A loss is computed in float64 only where float32 cannot exclude it: for most rows the
        // product in float32 is enough.
        if (Sign(i) * (about + (_bias ? _single[_rows.Length] : 0)) > 1 + SinglePrecisionMargin)
            return 0;
        var exact = FloatVectors.Dot(_single, _rows.Rows[i], _rows.Length) + (_bias ? _single[_rows.Length] : 0);
        var hinge = Math.Max(0, 1 - Sign(i) * exact);
        return 0.5 * hinge * hinge / _ridges[_rows.Labels[i]];
    }

    /// <summary>
    /// The objective at the float32 weights, and how far it lies above the dual's, which is a bound of the optimum; right after
    /// <see cref="TakeWeightsOfDuals"/>.
    /// </summary>
    /// <param name="losses">Sum of <see cref="Loss"/>.</param>
    public OutputStart CurrentSolution(double losses)
    {
        var objective = losses + 0.5 * FloatVectors.Dot(_single, _single, _stride);
        return new(objective, objective - _dual, Sweeps);
    }

    private void EndSweep()
    {
        // 5. The gap of this sweep, summed while the duals changed, is an estimate; CurrentSolution computes it at the end.
        Sweeps++;
        Done = _gap <= _tolerance * _dual;
        if (!Done && !_inDouble && _gap <= FinestSingle * _dual)
        {
            TakeWeightsOfDuals();
            _inDouble = true;
        }

        var few = _activeCount < _rows.Length;
        var window = few ? WindowOfFew : Window;
        if (Sweeps % window == 0)
        {
            // The gap falls by the same factor in each window, as that of the last one.
            var remaining = window * Math.Log(_gap / (_tolerance * _dual)) / Math.Log(_windowGap / _gap);

            // False, too, where weights beyond float32 make the gap NaN.
            var falls = _gap < _windowGap && remaining * _activeCount <= (few ? MaxPassesOfFew : MaxPasses) * _rows.Count;
            IsStalled = !Done && !falls;
            Done |= IsStalled;
            _windowGap = _gap;
        }

        // As in LIBLINEAR: after a sweep without a positive violation no row leaves.
        _limit = _mostViolation > 0 ? _mostViolation : double.PositiveInfinity;
        (_mostViolation, _gap) = (double.NegativeInfinity, 0);
    }

    private int Sign(int i) => _rows.Labels[i] == _own ? 1 : -1;

    private void Add(float* w, int i, double step)
    {
        FloatVectors.AddScaled(w, Sign(i) * step, _rows.Rows[i], _rows.Length);
        if (_bias)
            w[_rows.Length] += (float)(Sign(i) * step);
    }

    private void Add(double* w, int i, double step)
    {
        FloatVectors.AddScaled(w, Sign(i) * step, _rows.Rows[i], _rows.Length);
        if (_bias)
            w[_rows.Length] += Sign(i) * step;
    }
}
