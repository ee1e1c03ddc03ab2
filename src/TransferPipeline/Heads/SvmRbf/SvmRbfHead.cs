using System.Numerics.Tensors;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Numerics;
using TransferPipeline.Onnx;

namespace TransferPipeline.Heads;

/// <summary>
/// Votes of the machines of all pairs of classes. Decisions are summed in double: a decision near zero is a vote that must fall in the
/// exported model as it does here.
/// </summary>
internal sealed unsafe class SvmRbfHead : IHead
{
    /// <summary>Support vectors whose kernel values are computed at once.</summary>
    private const int VectorBlock = 256;

    private const int RowBlock = 32;

    private readonly SvmModel _model;
    private readonly FeatureScaling _scaling;
    private readonly bool _breakTies;
    private readonly double[] _vectors;
    private readonly double[][] _coefficients;

    public SvmRbfHead(SvmModel model, FeatureScaling scaling, SvmRbf options, FitReport fit)
    {
        (_model, _scaling, Options, Fit, _breakTies) = (model, scaling, options, fit, options.BreakTies);
        _vectors = Array.ConvertAll(model.Vectors.Data, v => (double)v);
        _coefficients = Array.ConvertAll(model.Coefficients, c => Array.ConvertAll(c, v => (double)v));
    }

    public string Name => "svm-rbf";

    public int ClassCount => _model.Classes;

    public int Dimension => _model.Vectors.Columns;

    /// <summary>Support vectors, their coefficients against each other class, and the biases.</summary>
    public long ParameterCount => (long)_model.Vectors.Rows * (Dimension + ClassCount - 1) + (long)ClassCount * (ClassCount - 1) / 2;

    public HeadOptions Options { get; }

    public FitReport Fit { get; }

    public string? NotExportable => null;

    internal SvmModel Model => _model;

    public void Score(FeatureMatrix x, ReadOnlySpan<int> rows, Span<float> scores, int threads = 1)
    {
        if (x.Columns != Dimension)
            Throw.Usage($"{Name} was trained on vectors of length {Dimension}, these have {x.Columns}");
        var (queries, results, size) = (rows.ToArray(), new float[rows.Length * ClassCount], ClassCount * ClassCount);
        Blocks.For(
            queries.Length,
            RowBlock,
            threads,
            (_, start, end) =>
            {
                var decisions = Decisions(x, queries.AsSpan(start..end));
                for (var i = start; i < end; i++)
                    OneVersusOne.Scores(decisions.AsSpan((i - start) * size, size), _breakTies, results.AsSpan(i * ClassCount, ClassCount));
            }
        );
        results.CopyTo(scores);
    }

    /// <summary>Softmax of the scores: an order of preference, not calibrated (LIBSVM's Platt scaling costs a cross-validation).</summary>
    public void ToProbabilities(Span<float> scores) => SoftmaxRows.Run(scores, ClassCount);

    public string Export(IGraphWriter graph, string features) => new SvmRbfExport(_model, _scaling, _breakTies).Write(graph, features);

    /// <summary>K x K decisions of each row, as <see cref="OneVersusOne.Scores"/> wants them.</summary>
    internal double[] Decisions(FeatureMatrix x, ReadOnlySpan<int> rows)
    {
        var (classes, count) = (ClassCount, _model.Vectors.Rows);
        var kernel = KernelValues(x, rows);
        var sums = new double[rows.Length * classes * classes];
        var addresses = stackalloc double*[rows.Length];
        fixed (
            double* values = kernel,
                to = sums
        )
        {
            for (var c = 0; c < classes; c++)
            {
                for (var i = 0; i < rows.Length; i++)
                    addresses[i] = values + (nint)i * count + _model.Starts[c];
                fixed (double* coefficients = _coefficients[c])
                    RowDotKernel<double>.Run(
                        addresses,
                        rows.Length,
                        coefficients,
                        _model.VectorsOf(c),
                        classes,
                        _model.VectorsOf(c),
                        to + c * classes,
                        classes * classes
                    );
            }
        }

        for (var i = 0; i < rows.Length; i++)
        {
            var own = sums.AsSpan(i * classes * classes, classes * classes);
            for (var a = 0; a < classes; a++)
            {
                for (var b = a + 1; b < classes; b++)
                {
                    // Coefficients are magnitudes: the sum of the second class counts against the first.
                    var decision = own[a * classes + b] - own[b * classes + a] + _model.Biases[a * classes + b];
                    (own[a * classes + b], own[b * classes + a]) = (decision, -decision);
                }

                own[a * classes + a] = 0;
            }
        }

        return sums;
    }

    private double[] KernelValues(FeatureMatrix x, ReadOnlySpan<int> rows)
    {
        var count = _model.Vectors.Rows;
        var kernel = new double[rows.Length * count];
        var queries = new double[rows.Length * Dimension];
        var scaled = new float[Dimension];
        var squares = new double[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            _scaling.Apply(x.Row(rows[i]), scaled);
            squares[i] = ExactDistance.Dot(scaled, scaled);
            TensorPrimitives.ConvertTruncating<float, double>(scaled, queries.AsSpan(i * Dimension, Dimension));
        }

        var addresses = stackalloc double*[rows.Length];
        fixed (
            double* q = queries,
                v = _vectors,
                k = kernel
        )
        {
            for (var i = 0; i < rows.Length; i++)
                addresses[i] = q + (nint)i * Dimension;
            for (var first = 0; first < count; first += VectorBlock)
                RowDotKernel<double>.Run(
                    addresses,
                    rows.Length,
                    v + (nint)first * Dimension,
                    Dimension,
                    Math.Min(VectorBlock, count - first),
                    Dimension,
                    k + first,
                    count
                );
        }

        for (var i = 0; i < rows.Length; i++)
            RbfKernel.FromProducts(kernel.AsSpan(i * count, count), _model.Squares, squares[i], _model.Gamma);
        return kernel;
    }
}
