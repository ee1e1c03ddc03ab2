using System.Globalization;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// Weights of samples in a loss: by the class of the row, and (one against rest) by whether the row belongs to the output's class.
/// </summary>
/// <param name="Row">Factor of each class's rows.</param>
/// <param name="Positive">Factor of each output for rows of its own class.</param>
/// <param name="Negative">Factor of each output for all other rows.</param>
internal sealed record LossWeights(float[] Row, float[] Positive, float[] Negative)
{
    /// <summary>Weights that depend on the row's class alone.</summary>
    public static LossWeights ByRow(float[] classWeights)
    {
        var one = Array.ConvertAll(classWeights, _ => 1f);
        return new(classWeights, one, one);
    }

    /// <summary>The same weights times C.</summary>
    /// <exception cref="UsageException">One vanishes in float32, or is infinite: solvers divide by them.</exception>
    public LossWeights Times(double c)
    {
        var row = Scale(Row, c);
        // Products of the extremes bound the weights of all rows in all outputs.
        var (least, most) = (row.Min() * Math.Min(Positive.Min(), Negative.Min()), row.Max() * Math.Max(Positive.Max(), Negative.Max()));
        if (!float.IsNormal(least) || !float.IsNormal(most))
            Throw.Usage(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"C={c} times a class weight of {(float.IsNormal(least) ? Row.Max() : Row.Min())} is beyond float32; take values "
                        + $"nearer to 1"
                )
            );
        return new(row, Positive, Negative);
    }

    /// <summary>Weight of a row of class <paramref name="label"/> in the output of class <paramref name="output"/>.</summary>
    public float Of(int label, int output) => Row[label] * (label == output ? Positive : Negative)[output];

    private static float[] Scale(float[] values, double c) => Array.ConvertAll(values, v => (float)(v * c));
}

/// <summary>
/// A loss of linear outputs, for blocks of rows. Each output k belongs to class <c>classes[k]</c>; padding outputs have class -1.
/// </summary>
internal abstract unsafe class MarginLoss
{
    /// <summary>True when the objective is a sum of independent problems, one per output.</summary>
    public abstract bool Separable { get; }

    /// <summary>
    /// Turns outputs into the loss's derivatives by them, in place, and adds the losses (one sum, or one per output when separable).
    /// </summary>
    /// <param name="z">n rows of outputs, <paramref name="stride"/> (a multiple of 16) apart; values past the outputs are padding.</param>
    /// <param name="loss">Sums to add to: 1 or, when separable, <paramref name="stride"/>.</param>
    public abstract void Derivatives(
        float* z,
        int stride,
        int n,
        int* labels,
        int outputs,
        int* classes,
        LossWeights weights,
        double* loss
    );

    /// <summary>Turns directional derivatives u of the outputs into second-derivative products, in place.</summary>
    /// <param name="r">What <see cref="Derivatives"/> left for the same rows.</param>
    public abstract void Curvature(float* u, float* r, int stride, int n, int* labels, int outputs, int* classes, LossWeights weights);

    /// <summary>The mean over the outputs of each row's second derivatives: the row's weight in an average Hessian.</summary>
    /// <param name="r">What <see cref="Derivatives"/> left for the rows.</param>
    public abstract void RowCurvatures(float* r, int stride, int n, int* labels, int outputs, int* classes, LossWeights weights, float* to);
}
