using System.Runtime.Intrinsics;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Linear;

internal sealed unsafe partial class LinearObjective
{
    /// <summary>Steps after which outputs are computed from the weights again, so that the rounding of many sums does not add up.</summary>
    private const int MostSteps = 20;

    /// <summary>
    /// Outputs at the point of the last gradient; the derivatives' buffer holds the direction's outputs from <see cref="SetDirection"/> to
    /// <see cref="MoveTo"/>.
    /// </summary>
    private FloatBuffer? _reached;

    /// <summary>Whether <see cref="_reached"/> belongs to the current point.</summary>
    private bool _arrived;

    private int _steps;
    private float[] _lengths = [];
    private (double Point, double Mixed, double Direction)[] _squares = [];

    /// <summary>A probe costs a few hundredths of a pass.</summary>
    public double SlopeShare => 0.3;

    public void Keep(ReadOnlySpan<int> outputs)
    {
        // Select forgets the point. Here the outputs of those that stay are moved, so the next
        // direction costs no pass for them.
        var (oldStride, kept, arrived) = (Pad(_outputs), outputs.ToArray(), _arrived);
        Select(Array.ConvertAll(kept, k => _classes[k]));
        _arrived = arrived;
        foreach (var buffer in new[] { _derivatives, _reached })
        {
            if (buffer is not null)
                Narrow(buffer.Pointer, oldStride, Pad(_outputs), kept);
        }
    }

    public void SetDirection(float* w, float* direction)
    {
        var zStride = Pad(_outputs);
        // On demand: the objectives of a stream's blocks never take a direction.
        _reached ??= new((long)_rows.Count * Pad(_mostOutputs));
        var again = !_arrived || _steps == MostSteps;
        _steps = again ? 0 : _steps + 1;
        _halves += again ? 2 : 1;
        // Along the ray the penalty is a parabola: three products give it at any length.
        _squares = new (double, double, double)[_outputs];
        ForBlocks(
            false,
            (_, i, n, _) =>
            {
                if (again)
                    Outputs(w, i, n, _reached.Pointer + (nint)i * zStride, zStride);
                Outputs(direction, i, n, _derivatives.Pointer + (nint)i * zStride, zStride);
            }
        );
        for (var k = 0; k < _outputs; k++)
            _squares[k] = (
                Penalty(w + (nint)k * Stride, w + (nint)k * Stride),
                Penalty(w + (nint)k * Stride, direction + (nint)k * Stride),
                Penalty(direction + (nint)k * Stride, direction + (nint)k * Stride)
            );
    }

    public void EvaluateAt(ReadOnlySpan<double> lengths, Span<double> values, Span<double> slopes)
    {
        var zStride = Pad(_outputs);
        _lengths = new float[zStride];
        for (var k = 0; k < _outputs; k++)
            _lengths[k] = (float)lengths[lengths.Length == 1 ? 0 : k];
        var losses = new double[ChunkCount * zStride];
        var changes = new double[ChunkCount * zStride];
        ForBlocks(
            false,
            (chunk, i, n, _) =>
            {
                var z = Scratch(chunk);
                var u = _derivatives.Pointer + (nint)i * zStride;
                Move(_reached!.Pointer + (nint)i * zStride, u, n, zStride, z);
                Derivatives(z, i, n, losses, chunk);
                fixed (double* change = &changes[chunk * zStride])
                    AddProducts(z, u, n, zStride, change);
            }
        );
        values.Clear();
        slopes.Clear();
        for (var k = 0; k < _outputs; k++)
        {
            // The length in float32, as the outputs move by it: penalty and losses must be of one point.
            var (g, t, s) = (values.Length == 1 ? 0 : k, (double)_lengths[k], _squares[k]);
            values[g] += 0.5 * (s.Point + t * (2 * s.Mixed + t * s.Direction));
            slopes[g] += s.Mixed + t * s.Direction;
            for (var chunk = 0; chunk < ChunkCount; chunk++)
                slopes[g] += changes[chunk * zStride + k];
        }

        for (var chunk = 0; chunk < ChunkCount; chunk++)
        {
            for (var g = 0; g < values.Length; g++)
                values[g] += losses[chunk * zStride + g];
        }
    }

    public void MoveTo(float* w, float* gradient)
    {
        var zStride = Pad(_outputs);
        var losses = new double[ChunkCount * zStride];
        _halves++;
        ForBlocks(
            true,
            (chunk, i, n, partial) =>
            {
                var z = _reached!.Pointer + (nint)i * zStride;
                var r = _derivatives.Pointer + (nint)i * zStride;
                Move(z, r, n, zStride, z);
                FloatVectors.Copy(z, r, (nint)n * zStride);
                Derivatives(r, i, n, losses, chunk);
                AddGradient(r, zStride, i, n, partial);
            }
        );
        Sum(w, gradient);
        _arrived = true;
    }

    /// <summary>to = z + lengths * u for a block of rows.</summary>
    private void Move(float* z, float* u, int n, int zStride, float* to)
    {
        fixed (float* lengths = _lengths)
        {
            for (var k = 0; k < zStride; k += 16)
            {
                var t = Vector512.Load(lengths + k);
                for (nint at = k; at < (nint)n * zStride; at += zStride)
                    Vector512.MultiplyAddEstimate(Vector512.Load(u + at), t, Vector512.Load(z + at)).Store(to + at);
            }
        }
    }

    /// <summary>Adds each output's products of r and u over the rows.</summary>
    private static void AddProducts(float* r, float* u, int n, int zStride, double* to)
    {
        for (var k = 0; k < zStride; k += 16)
        {
            var (low, high) = (Vector512.Load(to + k), Vector512.Load(to + k + 8));
            for (nint at = k; at < (nint)n * zStride; at += zStride)
            {
                var (a, b) = (Vector512.Load(r + at), Vector512.Load(u + at));
                low = Vector512.MultiplyAddEstimate(Vector512.WidenLower(a), Vector512.WidenLower(b), low);
                high = Vector512.MultiplyAddEstimate(Vector512.WidenUpper(a), Vector512.WidenUpper(b), high);
            }

            low.Store(to + k);
            high.Store(to + k + 8);
        }
    }

    private void Narrow(float* values, int oldStride, int stride, int[] kept)
    {
        for (var i = 0; i < _rows.Count; i++)
        {
            var from = values + (nint)i * oldStride;
            var to = values + (nint)i * stride;
            // Rows and outputs move towards the front only, so nothing is overwritten before it is read.
            for (var k = 0; k < kept.Length; k++)
                to[k] = from[kept[k]];
            // Behind the outputs that stay are values of others, and padding is 0.
            new Span<float>(to + kept.Length, stride - kept.Length).Clear();
        }
    }

    /// <summary>Regularized part of the product of two parameter rows.</summary>
    private double Penalty(float* a, float* b)
    {
        var sum = FloatVectors.Dot(a, b, Bias);
        return BiasPenalty is { } penalty ? sum + penalty * a[Bias] * b[Bias] : sum;
    }
}
