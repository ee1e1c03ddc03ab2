namespace TransferPipeline.Heads;

/// <summary>Support vectors, class after class, and their coefficients in the machines of all pairs.</summary>
internal sealed class SvmModel
{
    /// <summary>Rows that support at least one pair (as scaled), class after class.</summary>
    public required FeatureMatrix Vectors { get; init; }

    /// <summary>First support vector of each class, and the number of all.</summary>
    public required int[] Starts { get; init; }

    /// <summary>For each class K x its support vectors: |coefficient| against class j.</summary>
    public required float[][] Coefficients { get; init; }

    /// <summary>K x K: the bias of pair (i, j) with i before j, its negative at (j, i).</summary>
    public required float[] Biases { get; init; }

    /// <summary>|s|^2 of each support vector.</summary>
    public required double[] Squares { get; init; }

    public required float Gamma { get; init; }

    public int Classes => Starts.Length - 1;

    public int VectorsOf(int c) => Starts[c + 1] - Starts[c];

    /// <param name="x">Training rows, class after class.</param>
    /// <param name="counts">Rows of each class.</param>
    public static SvmModel Create(FeatureMatrix x, int[] counts, PairProblem[] pairs, PairSolution[] solutions, double gamma)
    {
        var classes = counts.Length;
        var supports = new bool[x.Rows];
        for (var p = 0; p < pairs.Length; p++)
        {
            for (var i = 0; i < pairs[p].Count; i++)
                supports[pairs[p].KernelRow(i)] |= solutions[p].Coefficients[i] != 0;
        }

        int[] rows = [.. Enumerable.Range(0, x.Rows).Where(r => supports[r])];
        var positions = new int[x.Rows];
        for (var s = 0; s < rows.Length; s++)
            positions[rows[s]] = s;
        var starts = new int[classes + 1];
        for (var (c, first) = (0, 0); c < classes; first += counts[c++])
            starts[c + 1] = starts[c] + supports.AsSpan(first, counts[c]).Count(true);
        float[][] coefficients = [.. Enumerable.Range(0, classes).Select(c => new float[classes * (starts[c + 1] - starts[c])])];
        var biases = new float[classes * classes];
        for (var (p, i) = (0, 0); i < classes; i++)
        {
            for (var j = i + 1; j < classes; j++, p++)
            {
                // In float32 like the exported constants: head and file sum the same numbers.
                (biases[i * classes + j], biases[j * classes + i]) = ((float)solutions[p].Bias, -(float)solutions[p].Bias);
                for (var t = 0; t < pairs[p].Count; t++)
                {
                    if (solutions[p].Coefficients[t] == 0)
                        continue;
                    var (own, other) = t < pairs[p].FirstCount ? (i, j) : (j, i);
                    var position = positions[pairs[p].KernelRow(t)] - starts[own];
                    // The sign follows from the order of the pair; Decisions subtracts the second class's sum.
                    coefficients[own][other * (starts[own + 1] - starts[own]) + position] = (float)Math.Abs(solutions[p].Coefficients[t]);
                }
            }
        }

        var vectors = x.Select(rows);
        return new()
        {
            Vectors = vectors,
            Starts = starts,
            Coefficients = coefficients,
            Biases = biases,
            Squares = [.. Enumerable.Range(0, vectors.Rows).Select(s => ExactDistance.Dot(vectors.Row(s), vectors.Row(s)))],
            Gamma = (float)gamma,
        };
    }
}
