using System.Numerics;
using TransferPipeline.Heads.Kernels;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads.LinearSvm;

/// <summary>
/// Coordinate descent on the dual of the squared-hinge machine (Hsieh et al. 2008, LIBLINEAR's default), a few outputs at a time so that each row is read once for all of them: brings the weights near
/// the optimum in a few sweeps over the rows, and Newton's method then finishes and measures the gap. Duals stay for the next C of a path.
/// </summary>
internal sealed unsafe class DualCoordinateDescent
{
    private const int MostSweeps = 2000;

    /// <summary>Largest violation of the optimality conditions at which the descent hands over.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>Weights that are visited together stay in the first-level cache beside a row.</summary>
    private const int GroupBytes = 32 * 1024;

    /// <summary>Bits of a row's mask.</summary>
    private const int MostTogether = 32;

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
        var together = Math.Clamp(GroupBytes / (sizeof(float) * stride), 1, MostTogether);
        together = Math.Min(together, Blocks.Count(_classes.Length, 2 * context.Threads));
        Blocks.For(_classes.Length, together, context.Threads, (_, start, end) =>
        {
            var outputs = new Output[end - start];
            for (var k = start; k < end; k++)
                outputs[k - start] = new(this, k, weights, (float*)to + (nint)k * stride, stride);
            Solve(outputs, context.Cancellation);
        }, context.Cancellation);
    }

    /// <summary>
    /// Sweeps over the rows in an order that depends on the sweep alone, so that an output's way does not depend on which others share the reading of a row.
    /// </summary>
    private void Solve(Output[] outputs, CancellationToken cancellation)
    {
        // Bit g of a row: it takes part in the sweeps of output g.
        var active = new uint[_rows.Count];
        Array.Fill(active, uint.MaxValue);
        var order = new int[_rows.Count];
        var open = uint.MaxValue >> (32 - outputs.Length);
        for (var sweep = 0; sweep < MostSweeps && open != 0; sweep++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var i = 0; i < order.Length; i++)
                order[i] = i;
            new Random(sweep).Shuffle(order);
            foreach (var i in order)
            {
                for (var bits = active[i] & open; bits != 0; bits &= bits - 1)
                {
                    var g = BitOperations.TrailingZeroCount(bits);
                    if (!outputs[g].Visit(i))
                        active[i] &= ~(1u << g);
                }
            }

            for (var g = 0; g < outputs.Length; g++)
            {
                if ((open & (1u << g)) == 0)
                    continue;
                var end = outputs[g].EndSweep();
                if (end == SweepEnd.Done)
                    open &= ~(1u << g);
                if (end != SweepEnd.AllRowsAgain)
                    continue;
                for (var i = 0; i < active.Length; i++)
                    active[i] |= 1u << g;
            }
        }
    }

    private enum SweepEnd
    {
        GoOn,
        AllRowsAgain,
        Done,
    }

    /// <summary>One output against the rest.</summary>
    private sealed class Output
    {
        private readonly RowSet _rows;
        private readonly float[] _lengths;
        private readonly float[] _duals;
        private readonly int _own;
        private readonly float[] _ridges;
        private readonly bool _bias;
        private readonly float* _w;
        private double _most = double.NegativeInfinity;
        private double _least = double.PositiveInfinity;
        private double _limit = double.PositiveInfinity;
        private bool _left;

        public Output(DualCoordinateDescent descent, int k, LossWeights weights, float* w, int stride)
        {
            (_rows, _lengths, _duals, _own, _bias) = (descent._rows, descent._lengths, descent._duals[k], descent._classes[k], descent._bias);
            _w = w;
            _ridges = new float[weights.Row.Length];
            for (var label = 0; label < _ridges.Length; label++)
                _ridges[label] = 0.5f / weights.Of(label, _own);
            new Span<float>(w, stride).Clear();
            for (var i = 0; i < _duals.Length; i++)
            {
                if (_duals[i] > 0)
                    Add(i, _duals[i]);
            }
        }

        /// <summary>Makes the row's dual optimal; false when the row may stay out of the coming sweeps.</summary>
        public bool Visit(int i)
        {
            var label = _rows.Labels[i];
            var sign = label == _own ? 1f : -1f;
            var ridge = _ridges[label];
            var output = FloatVectors.DotSingle(_w, _rows.Rows[i], _rows.Length) + (_bias ? _w[_rows.Length] : 0);
            var slope = sign * output - 1 + ridge * _duals[i];
            var violation = slope;
            if (_duals[i] == 0)
            {
                // A row far on its right side.
                if (slope > _limit)
                {
                    _left = true;
                    return false;
                }

                violation = Math.Min(slope, 0);
            }

            (_most, _least) = (Math.Max(_most, violation), Math.Min(_least, violation));
            if (violation == 0)
                return true;
            var old = _duals[i];
            _duals[i] = Math.Max(0, old - slope / (_lengths[i] + ridge));
            Add(i, _duals[i] - old);
            return true;
        }

        public SweepEnd EndSweep()
        {
            var (most, range) = (_most, _most - _least);
            (_most, _least) = (double.NegativeInfinity, double.PositiveInfinity);
            if (range > Tolerance)
            {
                _limit = most > 0 ? most : double.PositiveInfinity;
                return SweepEnd.GoOn;
            }

            if (!_left)
                return SweepEnd.Done;
            (_left, _limit) = (false, double.PositiveInfinity);
            return SweepEnd.AllRowsAgain;
        }

        private void Add(int i, float step)
        {
            var factor = _rows.Labels[i] == _own ? step : -step;
            FloatVectors.AddScaled(_w, factor, _rows.Rows[i], _rows.Length);
            if (_bias)
                _w[_rows.Length] += factor;
        }
    }
}
