using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Evaluation;

/// <summary>
/// The first principal components of n vectors from their n x n products: the eigenvectors of the centred products, by subspace iteration
/// with Rayleigh and Ritz's step.
/// </summary>
internal static class PrincipalComponents
{
    // A few more vectors than are wanted, so that eigenvalues near the last wanted one do not slow the iteration down.
    private const int Spare = 6;
    private const int MostIterations = 200;
    private const double Tolerance = 1e-9;
    private const int MostPasses = 5;

    /// <param name="products">n x n inner products of the vectors.</param>
    /// <returns>n x <paramref name="components"/> coordinates, row-major, and each component's share of the variance. Signs make each
    /// component's largest coordinate positive.</returns>
    public static (double[] Coordinates, double[] ExplainedVariance) FromProducts(float[] products, int n, int components, int threads)
    {
        var centred = Centre(products, n);
        var trace = 0.0;
        for (var i = 0; i < n; i++)
            trace += centred[(i * n) + i];
        var width = Math.Min(n, components + Spare);
        var basis = Start(n, width);
        Orthonormalize(basis, n);
        var previous = new double[width];
        for (var iteration = 0; iteration < MostIterations; iteration++)
        {
            var values = Step(centred, basis, n, threads);
            var change = 0.0;
            for (var c = 0; c < Math.Min(components, width); c++)
                change = Math.Max(change, Math.Abs(values[c] - previous[c]));
            previous = values;
            // Relative to the whole variance: the unit of the vectors has no influence.
            if (change <= Tolerance * trace)
                break;
        }

        return (
            Coordinates(basis, previous, n, components),
            [.. Enumerable.Range(0, components).Select(c => trace > 0 && c < width ? Math.Clamp(previous[c] / trace, 0, 1) : 0)]
        );
    }

    /// <summary>Subtracts row and column means and adds the mean of all (Schölkopf's centring of a kernel matrix).</summary>
    private static float[] Centre(float[] products, int n)
    {
        var means = new double[n];
        for (var i = 0; i < n; i++)
        {
            var sum = 0.0;
            for (var j = 0; j < n; j++)
                sum += products[(i * n) + j];
            means[i] = sum / n;
        }

        var mean = means.Average();
        var centred = new float[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
                centred[(i * n) + j] = (float)(products[(i * n) + j] - means[i] - means[j] + mean);
        }

        return centred;
    }

    private static double[][] Start(int n, int width)
    {
        // Not the comparison's seed: components belong to the data, and the start affects their rounding alone.
        var random = RandomStream.OfDraws(0);
        return
        [
            .. Enumerable.Range(0, width).Select(c => Enumerable.Range(0, n).Select(i => random.NormalAt((ulong)((c * n) + i))).ToArray()),
        ];
    }

    /// <summary>
    /// basis = orthonormal basis of (centred x basis), turned to the eigenvectors within that space, the largest eigenvalue first.
    /// </summary>
    /// <returns>The eigenvalues within the space of the old basis.</returns>
    private static double[] Step(float[] centred, double[][] basis, int n, int threads)
    {
        var (input, output) = (new float[basis.Length * n], new float[n * basis.Length]);
        for (var c = 0; c < basis.Length; c++)
        {
            for (var i = 0; i < n; i++)
                input[(c * n) + i] = (float)basis[c][i];
        }

        MatMul.TransposedB(centred, input, output, n, basis.Length, n, threads);
        var image = basis.Select((_, c) => Enumerable.Range(0, n).Select(i => (double)output[(i * basis.Length) + c]).ToArray()).ToArray();
        var within = new double[basis.Length, basis.Length];
        for (var a = 0; a < basis.Length; a++)
        {
            for (var b = 0; b < basis.Length; b++)
                // The products are float32, so the two halves differ by rounding,
                // and rotations take a symmetric matrix.
                within[a, b] = (Dot(basis[a], image[b]) + Dot(basis[b], image[a])) / 2;
        }

        var (values, vectors) = Eigen(within);
        for (var c = 0; c < basis.Length; c++)
        {
            for (var i = 0; i < n; i++)
            {
                basis[c][i] = 0;
                for (var a = 0; a < basis.Length; a++)
                    basis[c][i] += vectors[a, c] * image[a][i];
            }
        }

        Orthonormalize(basis, n);
        return values;
    }

    /// <summary>Eigenvalues, the largest first, and eigenvectors (columns) of a small symmetric matrix by Jacobi's rotations.</summary>
    private static (double[] Values, double[,] Vectors) Eigen(double[,] matrix)
    {
        var size = matrix.GetLength(0);
        var vectors = new double[size, size];
        for (var i = 0; i < size; i++)
            vectors[i, i] = 1;
        // Jacobi's sweeps converge quadratically; 30 are far more than a matrix of this size needs.
        for (var sweep = 0; sweep < 30; sweep++)
        {
            for (var p = 0; p < size - 1; p++)
            {
                for (var q = p + 1; q < size; q++)
                    Rotate(matrix, vectors, p, q);
            }
        }

        var order = Enumerable.Range(0, size).OrderByDescending(i => matrix[i, i]).ToArray();
        var sorted = new double[size, size];
        for (var c = 0; c < size; c++)
        {
            for (var r = 0; r < size; r++)
                sorted[r, c] = vectors[r, order[c]];
        }

        return ([.. order.Select(i => matrix[i, i])], sorted);
    }

    /// <summary>Makes element (p, q) zero (Golub and Van Loan, section 8.5).</summary>
    private static void Rotate(double[,] matrix, double[,] vectors, int p, int q)
    {
        if (matrix[p, q] == 0)
            return;
        var size = matrix.GetLength(0);
        var theta = (matrix[q, q] - matrix[p, p]) / (2 * matrix[p, q]);
        // The smaller root turns by at most 45 degrees and changes the rest of the matrix least.
        var t = (theta < 0 ? -1 : 1) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        var cosine = 1 / Math.Sqrt((t * t) + 1);
        var sine = t * cosine;
        for (var i = 0; i < size; i++)
            (matrix[i, p], matrix[i, q]) = (
                (cosine * matrix[i, p]) - (sine * matrix[i, q]),
                (sine * matrix[i, p]) + (cosine * matrix[i, q])
            );
        for (var i = 0; i < size; i++)
            (matrix[p, i], matrix[q, i]) = (
                (cosine * matrix[p, i]) - (sine * matrix[q, i]),
                (sine * matrix[p, i]) + (cosine * matrix[q, i])
            );
        for (var i = 0; i < size; i++)
            (vectors[i, p], vectors[i, q]) = (
                (cosine * vectors[i, p]) - (sine * vectors[i, q]),
                (sine * vectors[i, p]) + (cosine * vectors[i, q])
            );
    }

    /// <summary>
    /// Modified Gram-Schmidt, twice for safety against rounding, and again while a pass takes most of a vector: fewer dimensions than
    /// vectors leave rounding alone. What has nothing of its own then becomes zero.
    /// </summary>
    private static void Orthonormalize(double[][] basis, int n)
    {
        for (var c = 0; c < basis.Length; c++)
        {
            var (before, length) = (double.PositiveInfinity, Math.Sqrt(Dot(basis[c], basis[c])));
            for (var pass = 0; pass < MostPasses && (pass < 2 || length < before / 2); pass++)
            {
                for (var other = 0; other < c; other++)
                {
                    var dot = Dot(basis[c], basis[other]);
                    for (var i = 0; i < n; i++)
                        basis[c][i] -= dot * basis[other][i];
                }

                (before, length) = (length, Math.Sqrt(Dot(basis[c], basis[c])));
            }

            if (length < before / 2)
                Array.Clear(basis[c]);
            for (var i = 0; i < n && length > 0; i++)
                basis[c][i] /= length;
        }
    }

    private static double[] Coordinates(double[][] basis, double[] values, int n, int components)
    {
        var coordinates = new double[n * components];
        for (var c = 0; c < Math.Min(components, basis.Length); c++)
        {
            var largest = 0;
            for (var i = 1; i < n; i++)
            {
                if (Math.Abs(basis[c][i]) > Math.Abs(basis[c][largest]))
                    largest = i;
            }

            // Rounding can take an eigenvalue of 0 below it.
            var scale = Math.Sqrt(Math.Max(0, values[c])) * (basis[c][largest] < 0 ? -1 : 1);
            for (var i = 0; i < n; i++)
                coordinates[(i * components) + c] = basis[c][i] * scale;
        }

        return coordinates;
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
