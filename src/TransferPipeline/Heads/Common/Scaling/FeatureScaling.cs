using System.Numerics.Tensors;

namespace TransferPipeline.Heads.Common;

/// <summary>What is done to a vector before a head sees it; part of the head.</summary>
public enum ScalingKind
{
    /// <summary>Vectors as they are.</summary>
    None,

    /// <summary>
    /// (x - mean) / standard deviation of each column over the training rows, as scikit-learn's StandardScaler; constant columns are only
    /// centred.
    /// </summary>
    Standard,

    /// <summary>Each vector divided by its Euclidean length, as scikit-learn's Normalizer; a zero vector stays.</summary>
    L2,
}

/// <summary>A scaling with its learnt values.</summary>
public sealed class FeatureScaling
{
    private const int RowBlock = 512;

    private FeatureScaling(ScalingKind kind, float[] mean, float[] scale) => (Kind, Mean, Scale) = (kind, mean, scale);

    /// <summary>Vectors as they are.</summary>
    public static FeatureScaling None { get; } = new(ScalingKind.None, [], []);

    /// <summary>Vectors divided by their Euclidean lengths.</summary>
    public static FeatureScaling L2 { get; } = new(ScalingKind.L2, [], []);

    /// <summary>Which scaling it is.</summary>
    public ScalingKind Kind { get; }

    /// <summary>D column means; empty unless standard.</summary>
    public float[] Mean { get; }

    /// <summary>D standard deviations (population, ddof 0), 1 for constant columns; empty unless standard.</summary>
    public float[] Scale { get; }

    /// <summary>Learns a scaling from the given rows.</summary>
    public static FeatureScaling Fit(ScalingKind kind, FeatureMatrix x, int[] rows, int threads) =>
        kind switch
        {
            ScalingKind.None => None,
            ScalingKind.L2 => L2,
            _ => Standardize(x, rows, threads),
        };

    /// <summary>A standard scaling with known values.</summary>
    public static FeatureScaling Standard(float[] mean, float[] scale) => new(ScalingKind.Standard, mean, scale);

    /// <summary>Scales one vector; both spans have D values and may be the same.</summary>
    public void Apply(ReadOnlySpan<float> from, Span<float> to)
    {
        switch (Kind)
        {
            case ScalingKind.Standard:
                // The operations of ScalingExport, in float32 and in its order: head and exported file round alike.
                TensorPrimitives.Subtract(from, Mean, to);
                TensorPrimitives.Divide(to, Scale, to);
                break;
            case ScalingKind.L2:
                var length = TensorPrimitives.Norm(from);
                TensorPrimitives.Divide(from, length > 0 ? length : 1, to);
                break;
            default:
                from.CopyTo(to);
                break;
        }
    }

    /// <summary>A scaled copy of the given rows, in that order.</summary>
    public FeatureMatrix Apply(FeatureMatrix x, int[] rows, int threads)
    {
        var scaled = new FeatureMatrix(rows.Length, x.Columns);
        Blocks.For(
            rows.Length,
            RowBlock,
            threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                    Apply(x.Row(rows[i]), scaled.Row(i));
            }
        );
        return scaled;
    }

    private static FeatureScaling Standardize(FeatureMatrix x, int[] rows, int threads)
    {
        var moments = new ColumnMoments(x.Columns);
        moments.Add(x, rows, threads);
        return moments.ToScaling();
    }
}
