using System.Numerics.Tensors;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Numerics;
using TransferPipeline.Onnx;

namespace TransferPipeline.Heads.Linear;

/// <summary>How scores become probabilities.</summary>
public enum LinearLink
{
    /// <summary>Softmax of the scores.</summary>
    Softmax,

    /// <summary>The logistic function of each score, divided by their sum, as scikit-learn's one-vs-rest does.</summary>
    NormalizedSigmoids,
}

/// <summary>
/// A linear classifier: scores = scaled x times the transpose of the weights, plus the bias. All linear heads end as one.
/// </summary>
public sealed class LinearHead : IHead
{
    private const int RowBlock = 256;

    /// <summary>
    /// Sigmoids of scores below its negative are exponentials to the last bit, whose shares stay when all are raised by as much; below -104
    /// float32 has none but 0. So a row whose largest score is lower is raised to it.
    /// </summary>
    private const float LeastTop = 60;

    private readonly bool _divideByLength;

    private LinearHead(
        string name,
        int classes,
        int dimension,
        float[] weights,
        float[] bias,
        bool divideByLength,
        LinearLink link,
        HeadOptions options,
        FitReport fit
    )
    {
        (Name, ClassCount, Dimension, Weights, Bias) = (name, classes, dimension, weights, bias);
        (_divideByLength, Link, Options, Fit) = (divideByLength, link, options, fit);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int ClassCount { get; }

    /// <inheritdoc/>
    public int Dimension { get; }

    /// <inheritdoc/>
    public long ParameterCount => Weights.LongLength + Bias.LongLength;

    /// <inheritdoc/>
    public HeadOptions Options { get; }

    /// <inheritdoc/>
    public FitReport Fit { get; }

    /// <summary>ClassCount x Dimension, for unscaled vectors (a standard scaling is folded in).</summary>
    public float[] Weights { get; }

    /// <summary>ClassCount values.</summary>
    public float[] Bias { get; }

    /// <summary>What makes probabilities of the scores.</summary>
    public LinearLink Link { get; }

    /// <inheritdoc/>
    public string? NotExportable => null;

    /// <summary>
    /// Makes a head from weights (classes x dimension, row-major) and biases (one per class) for vectors scaled as
    /// <paramref name="scaling"/> states.
    /// </summary>
    public static LinearHead Create(
        string name,
        double[] weights,
        double[] bias,
        FeatureScaling scaling,
        LinearLink link,
        HeadOptions options,
        FitReport fit
    )
    {
        var classes = bias.Length;
        var dimension = weights.Length / classes;
        var (foldedWeights, foldedBias) = (new float[weights.Length], new float[classes]);
        for (var k = 0; k < classes; k++)
        {
            // In float64, rounded once: the bias takes in a product for each column, and these may cancel.
            var sum = bias[k];
            for (var d = 0; d < dimension; d++)
            {
                var weight = weights[k * dimension + d];
                // Folded into the weights: scoring and the exported file need no operator for it.
                if (scaling.Kind == ScalingKind.Standard)
                {
                    weight /= scaling.Scale[d];
                    sum -= weight * scaling.Mean[d];
                }

                foldedWeights[k * dimension + d] = (float)weight;
            }

            foldedBias[k] = (float)sum;
        }

        if (
            !float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(foldedWeights))
            || !float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(foldedBias))
        )
            Throw.BadInput(
                $"{name}: the weights are no finite numbers: the vectors' values are too far from 1 for float32; set scaling=standard"
            );
        return new(name, classes, dimension, foldedWeights, foldedBias, scaling.Kind == ScalingKind.L2, link, options, fit);
    }

    /// <inheritdoc/>
    public void Score(FeatureMatrix x, ReadOnlySpan<int> rows, Span<float> scores, int threads = 1)
    {
        if (x.Columns != Dimension)
            throw new UsageException($"{Name} was trained on vectors of length {Dimension}, these have {x.Columns}");
        ArgumentOutOfRangeException.ThrowIfLessThan((long)scores.Length, (long)rows.Length * ClassCount);
        var chosen = rows.ToArray();
        var results = new float[(long)rows.Length * ClassCount];
        Blocks.For(chosen.Length, RowBlock, threads, (_, start, end) => ScoreBlock(x, chosen, start, end, results));
        results.CopyTo(scores);
    }

    /// <inheritdoc/>
    public void ToProbabilities(Span<float> scores)
    {
        for (var start = 0; start + ClassCount <= scores.Length; start += ClassCount)
        {
            var row = scores.Slice(start, ClassCount);
            if (Link == LinearLink.NormalizedSigmoids)
            {
                TensorPrimitives.Subtract(row, Math.Min(0, TensorPrimitives.Max(row) + LeastTop), row);
                TensorPrimitives.Sigmoid(row, row);
                TensorPrimitives.Divide(row, TensorPrimitives.Sum(row), row);
            }
            else
            {
                SoftmaxRows.Run(row, ClassCount);
            }
        }
    }

    /// <inheritdoc/>
    public string Export(IGraphWriter graph, string features)
    {
        // As FeatureScaling does: a vector of zeros is divided by a small number instead of by 0, and stays.
        if (_divideByLength)
        {
            var squares = graph.Node("Mul", [features, features]);
            var sums = graph.Node("ReduceSum", [squares, graph.Constant("axes", [1L], 1)], ("keepdims", 1L));
            var length = OldOperators.AtLeast(graph, graph.Node("Sqrt", [sums]), 1e-30f, "smallest_length");
            features = graph.Node("Div", [features, length]);
        }

        var weights = graph.Constant("head_weight", Weights, ClassCount, Dimension);
        var scores = graph.Node("Gemm", [features, weights, graph.Constant("head_bias", Bias, ClassCount)], ("transB", 1L));
        if (Link == LinearLink.Softmax)
            return graph.Node("Softmax", [scores], ("axis", 1L));
        // ln sigmoid(z) = -softplus(-z). ONNX Runtime's Sigmoid itself is 0 below -18, where all of a row's may lie.
        var logarithms = graph.Node("Neg", [graph.Node("Softplus", [graph.Node("Neg", [scores])])]);
        return graph.Node("Softmax", [logarithms], ("axis", 1L));
    }

    private unsafe void ScoreBlock(FeatureMatrix x, int[] rows, int start, int end, float[] results)
    {
        var addresses = stackalloc float*[end - start];
        fixed (
            float* data = x.Data,
                weights = Weights,
                to = results
        )
        {
            for (var i = start; i < end; i++)
                addresses[i - start] = data + (nint)rows[i] * Dimension;
            RowDotKernel<float>.Run(
                addresses,
                end - start,
                weights,
                Dimension,
                ClassCount,
                Dimension,
                to + (nint)start * ClassCount,
                ClassCount
            );
        }

        for (var i = start; i < end; i++)
        {
            var row = results.AsSpan(i * ClassCount, ClassCount);
            // The scores are divided instead of the vector: K divisions instead of D, and the vector stays as it is.
            if (_divideByLength)
            {
                var length = TensorPrimitives.Norm<float>(x.Row(rows[i]));
                TensorPrimitives.Divide(row, length > 0 ? length : 1, row);
            }

            TensorPrimitives.Add(row, Bias, row);
        }
    }
}
