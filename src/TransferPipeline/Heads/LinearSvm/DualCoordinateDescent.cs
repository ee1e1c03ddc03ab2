using TransferPipeline.Heads.Kernels;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads.LinearSvm;

/// <summary>
/// Coordinate descent on the dual of the squared-hinge machine (Hsieh et al. 2008, LIBLINEAR's default), one output a thread: brings the weights near
/// the optimum in a few sweeps over the rows, and Newton's method then finishes and measures the gap. Duals stay for the next C of a path.
/// </summary>
internal sealed unsafe class DualCoordinateDescent
{
    private const int MostSweeps = 2000;

    /// <summary>Largest violation of the optimality conditions at which the descent hands over.</summary>
    private const double Tolerance = 1e-4;

    private readonly RowSet _rows;
    private readonly int[] _classes;
    private readonly float[] _lengths;
    private readonly float[][] _duals;
    private readonly bool _bias;

    /// <param name="bias">Whether each row has a constant value of 1 more.</param>
    public DualCoordinateDescent(RowSet rows, int[] classes, bool bias, int threads)
    {
        (_rows, _classes, _bias) = (rows, classes, bias);
        _lengths = new float[rows.Count];
        _duals = Array.ConvertAll(classes, _ => new float[rows.Count]);
        Blocks.For(rows.Count, 256, threads, (_, start, end) =>
        {
            for (var i = start; i < end; i++)
                _lengths[i] = FloatVectors.DotSingle(rows.Rows[i], rows.Rows[i], rows.Length) + (bias ? 1 : 0);
        });
    }

    /// <summary>Overwrites the parameters (one row an output) by the weights that belong to the duals found.</summary>
    public void Run(LossWeights weights, float* parameters, int stride, TrainingContext context)
    {
        var to = (nint)parameters;
        Blocks.For(_classes.Length, 1, context.Threads, (_, k, _) => Solve(k, weights, (float*)to + (nint)k * stride, stride, context.Cancellation), context.Cancellation);
    }

    private void Solve(int k, LossWeights weights, float* w, int stride, CancellationToken cancellation)
    {
        var (length, own, duals) = (_rows.Length, _classes[k], _duals[k]);
        new Span<float>(w, stride).Clear();
        for (var i = 0; i < duals.Length; i++)
        {
            if (duals[i] > 0)
                Add(w, i, own, duals[i], length);
        }

        int[] order = [.. Enumerable.Range(0, duals.Length)];
        var (active, limit) = (order.Length, double.PositiveInfinity);
        var random = new Random(k);
        for (var sweep = 0; sweep < MostSweeps; sweep++)
        {
            cancellation.ThrowIfCancellationRequested();
            random.Shuffle(order.AsSpan(0, active));
            var (most, least) = (double.NegativeInfinity, double.PositiveInfinity);
            for (var at = 0; at < active; at++)
            {
                var i = order[at];
                var sign = _rows.Labels[i] == own ? 1f : -1f;
                var ridge = 0.5f / weights.Of(_rows.Labels[i], own);
                var output = FloatVectors.DotSingle(w, _rows.Rows[i], length) + (_bias ? w[length] : 0);
                var slope = sign * output - 1 + ridge * duals[i];
                var violation = slope;
                if (duals[i] == 0)
                {
                    // A row far on its right side stays out of the coming sweeps.
                    if (slope > limit)
                    {
                        active--;
                        (order[at], order[active]) = (order[active], order[at]);
                        at--;
                        continue;
                    }

                    violation = Math.Min(slope, 0);
                }

                (most, least) = (Math.Max(most, violation), Math.Min(least, violation));
                if (violation == 0)
                    continue;
                var old = duals[i];
                duals[i] = Math.Max(0, old - slope / (_lengths[i] + ridge));
                Add(w, i, own, duals[i] - old, length);
            }

            if (most - least <= Tolerance)
            {
                if (active == order.Length)
                    return;
                (active, limit) = (order.Length, double.PositiveInfinity);
                continue;
            }

            limit = most > 0 ? most : double.PositiveInfinity;
        }
    }

    private void Add(float* w, int i, int own, float step, int length)
    {
        var factor = _rows.Labels[i] == own ? step : -step;
        FloatVectors.AddScaled(w, factor, _rows.Rows[i], length);
        if (_bias)
            w[length] += factor;
    }
}
