using System.Numerics;
using System.Numerics.Tensors;

namespace TransferPipeline.Evaluation;

/// <summary>
/// t-SNE (van der Maaten and Hinton 2008), exact, for a few thousand points: all pairs in every step. Starts at the
/// principal components, so it is deterministic; step sizes are Belkina et al.'s (2019), as scikit-learn's learning_rate 'auto'.
/// </summary>
internal static class NeighbourEmbedding
{
    public const double Perplexity = 30;
    private const int Exaggerated = 200;
    private const int Steps = 600;
    private const double Exaggeration = 12;
    private const int RowsPerBlock = 32;

    // Nothing smaller matters, and subnormal numbers would be a hundred times slower.
    private const float LeastProbability = 1e-12f;
    private const float LeastExponent = -60;

    /// <param name="squaredDistances">n x n; overwritten.</param>
    /// <param name="start">n x 2 coordinates to start at, scaled down.</param>
    /// <returns>n x 2 coordinates, row-major, centred.</returns>
    public static double[] Run(float[] squaredDistances, int n, double[] start, int threads, CancellationToken cancellation = default)
    {
        if (n < 3)
            return start;
        var p = JointProbabilities(squaredDistances, n, threads);
        // An array per axis: a vector register then loads the same coordinate of several points at once.
        var (x, y) = (Scaled(start, n, 0), Scaled(start, n, 1));
        var rate = Math.Max(n / Exaggeration / 4, 50);
        var (velocity, gain, gradient) = (new double[2 * n], new double[2 * n], new double[2 * n]);
        Array.Fill(gain, 1);
        var forces = new double[4 * n];
        for (var step = 0; step < Steps; step++)
        {
            // A step takes about a millisecond: less than handing it to other threads costs when they are busy.
            cancellation.ThrowIfCancellationRequested();
            var total = Forces(p, x, y, n, forces);
            // Early exaggeration (section 3.4 of the paper) gathers clusters first; 12 is scikit-learn's factor.
            var exaggeration = step < Exaggerated ? Exaggeration : 1;
            for (var i = 0; i < n; i++)
            {
                gradient[2 * i] = 4 * ((exaggeration * forces[4 * i]) - (forces[(4 * i) + 2] / total));
                gradient[(2 * i) + 1] = 4 * ((exaggeration * forces[(4 * i) + 1]) - (forces[(4 * i) + 3] / total));
            }

            Move(x, y, gradient, velocity, gain, rate, step < Exaggerated ? 0.5 : 0.8);
        }

        return Centred(x, y);
    }

    /// <summary>Attraction (x, y) and repulsion (x, y) of each point, and the sum of 1 / (1 + distance^2) over all pairs.</summary>
    private static double Forces(float[] p, float[] x, float[] y, int n, double[] forces)
    {
        // Sums over the vector lanes are float32, sums over points double: the total has n x n terms.
        var total = 0.0;
        var one = Vector<float>.One;
        for (var i = 0; i < n; i++)
        {
            var (xi, yi) = (new Vector<float>(x[i]), new Vector<float>(y[i]));
            Vector<float> ax = default,
                ay = default,
                rx = default,
                ry = default,
                z = default;
            var row = p.AsSpan(i * n, n);
            var j = 0;
            for (; j <= n - Vector<float>.Count; j += Vector<float>.Count)
            {
                var (dx, dy) = (xi - new Vector<float>(x, j), yi - new Vector<float>(y, j));
                var w = one / (one + (dx * dx) + (dy * dy));
                var attraction = w * new Vector<float>(row[j..]);
                var repulsion = w * w;
                ax += attraction * dx;
                ay += attraction * dy;
                rx += repulsion * dx;
                ry += repulsion * dy;
                z += w;
            }

            var (sax, say, srx, sry, sz) = (
                (double)Vector.Sum(ax),
                (double)Vector.Sum(ay),
                (double)Vector.Sum(rx),
                (double)Vector.Sum(ry),
                (double)Vector.Sum(z)
            );
            for (; j < n; j++)
            {
                var (dx, dy) = (x[i] - x[j], y[i] - y[j]);
                var w = 1 / (1 + (dx * dx) + (dy * dy));
                sax += w * row[j] * dx;
                say += w * row[j] * dy;
                srx += w * w * dx;
                sry += w * w * dy;
                sz += w;
            }

            (forces[4 * i], forces[(4 * i) + 1], forces[(4 * i) + 2], forces[(4 * i) + 3]) = (sax, say, srx, sry);

            // The point itself contributed 1.
            total += sz - 1;
        }

        return total;
    }

    /// <summary>A step of gradient descent with momentum and Jacobs' (1988) gains.</summary>
    private static void Move(float[] x, float[] y, double[] gradient, double[] velocity, double[] gain, double rate, double momentum)
    {
        for (var c = 0; c < gradient.Length; c++)
        {
            // A velocity points against the gradient, so equal signs mean that the coordinate has overshot and turned.
            gain[c] = Math.Max(0.01, gradient[c] > 0 == velocity[c] > 0 ? gain[c] * 0.8 : gain[c] + 0.2);
            velocity[c] = (momentum * velocity[c]) - (rate * gain[c] * gradient[c]);
            var axis = c % 2 == 0 ? x : y;
            axis[c / 2] += (float)velocity[c];
        }
    }

    /// <summary>Gaussian neighbour probabilities of the given perplexity, symmetric, summing to 1; in place of the distances.</summary>
    private static float[] JointProbabilities(float[] squaredDistances, int n, int threads)
    {
        // A perplexity reaches some three times as many neighbors, and a point has n - 1.
        var perplexity = Math.Min(Perplexity, (n - 1) / 3.0);
        Blocks.For(
            n,
            RowsPerBlock,
            threads,
            (_, first, end) =>
            {
                var buffer = new float[n];
                for (var i = first; i < end; i++)
                    ConditionalRow(squaredDistances.AsSpan(i * n, n), i, Math.Log(perplexity), buffer);
            }
        );
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var mean = Math.Max((squaredDistances[(i * n) + j] + squaredDistances[(j * n) + i]) / (2 * n), LeastProbability);
                squaredDistances[(i * n) + j] = squaredDistances[(j * n) + i] = mean;
            }
        }

        return squaredDistances;
    }

    /// <summary>
    /// Finds the row's bandwidth by halving, so that its entropy is that of the perplexity; then overwrites distances by probabilities.
    /// </summary>
    private static void ConditionalRow(Span<float> row, int self, double entropy, float[] buffer)
    {
        // Exponents count from the nearest neighbor: far from all others, every exp would be 0 and their sum too.
        var nearest = float.PositiveInfinity;
        for (var j = 0; j < row.Length; j++)
            nearest = j == self ? nearest : Math.Min(nearest, row[j]);
        var (low, high, beta) = (0.0, double.PositiveInfinity, 1.0);
        for (var halving = 0; halving < 64; halving++)
        {
            TensorPrimitives.Subtract(row, nearest, buffer);
            TensorPrimitives.Multiply(buffer, (float)-beta, buffer);
            TensorPrimitives.Max(buffer, LeastExponent, buffer);
            TensorPrimitives.Exp(buffer, buffer);
            // A point is no neighbor of itself, though its distance of 0 would make it the nearest.
            buffer[self] = 0;
            var sum = Math.Max((double)TensorPrimitives.Sum<float>(buffer), 1e-30);
            var mean = (TensorPrimitives.Dot<float>(buffer, row) / sum) - nearest;
            // Entropy in nats, log(sum) + beta x mean distance.
            // Both terms count from the nearest neighbor, which cancels.
            var difference = Math.Log(sum) + (beta * mean) - entropy;
            if (Math.Abs(difference) < 1e-4)
                break;
            (low, high) = difference > 0 ? (beta, high) : (low, beta);
            // As long as no upper bound is known beta doubles; then the interval is halved.
            beta = double.IsInfinity(high) ? beta * 2 : (low + high) / 2;
        }

        TensorPrimitives.Divide(buffer, Math.Max(TensorPrimitives.Sum<float>(buffer), 1e-30f), row);
    }

    private static float[] Scaled(double[] start, int n, int axis)
    {
        // Both axes by the first one's spread, as scikit-learn does.
        var spread = Math.Sqrt(Enumerable.Range(0, n).Sum(i => start[2 * i] * start[2 * i]) / n);
        return [.. Enumerable.Range(0, n).Select(i => spread > 0 ? (float)(start[(2 * i) + axis] / spread * 1e-4) : 0)];
    }

    private static double[] Centred(float[] x, float[] y)
    {
        var (meanX, meanY) = (x.Average(v => (double)v), y.Average(v => (double)v));
        return [.. x.Zip(y).SelectMany(p => (double[])[p.First - meanX, p.Second - meanY])];
    }
}
