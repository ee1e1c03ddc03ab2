using System.Numerics;
using System.Runtime.InteropServices;

namespace TransferPipeline.Heads.Networks;

/// <summary>A rule that turns gradients into steps; PyTorch's torch.optim, to the order of its float32 operations.</summary>
internal abstract class Solver
{
    /// <summary>Values that a thread updates at once.</summary>
    private const int Piece = 1 << 15;

    /// <summary>L2 penalty: this share of the value is added to its gradient.</summary>
    public required float WeightDecay { get; init; }

    public static Solver Create(EpochOptions options) =>
        options.Solver == EpochSolver.Adam
            ? new AdamSolver { WeightDecay = (float)options.WeightDecay }
            : new SgdSolver { WeightDecay = (float)options.WeightDecay, Momentum = (float)options.Momentum };

    /// <param name="step">Number of the step, from 1.</param>
    public void Update(Parameter parameter, double rate, int step, int threads)
    {
        Prepare(parameter);
        Blocks.For(parameter.Values.Length, Piece, threads, (_, start, end) => Update(parameter, start, end, rate, step));
    }

    // SGD has no second moment: only a solver with one allocates it.
    protected virtual void Prepare(Parameter parameter) { }

    protected abstract void Update(Parameter parameter, int start, int end, double rate, int step);

    protected static Span<Vector<float>> Vectors(float[] values, int start, int end) =>
        MemoryMarshal.Cast<float, Vector<float>>(values.AsSpan(start, end - start));
}

/// <summary>Stochastic gradient descent: b = momentum b + g (b = g in the first step); w -= rate b.</summary>
internal sealed class SgdSolver : Solver
{
    public required float Momentum { get; init; }

    protected override void Update(Parameter parameter, int start, int end, double rate, int step)
    {
        var values = Vectors(parameter.Values, start, end);
        var gradients = Vectors(parameter.Gradient, start, end);
        var buffers = Vectors(parameter.First, start, end);
        var (decay, momentum, length) = (
            new Vector<float>(WeightDecay),
            new Vector<float>(step == 1 ? 0 : Momentum),
            new Vector<float>((float)rate)
        );
        for (var i = 0; i < values.Length; i++)
        {
            var buffer = momentum * buffers[i] + (gradients[i] + decay * values[i]);
            buffers[i] = buffer;
            values[i] -= length * buffer;
        }

        for (var i = start + values.Length * Vector<float>.Count; i < end; i++)
        {
            var buffer = momentum[0] * parameter.First[i] + (parameter.Gradient[i] + WeightDecay * parameter.Values[i]);
            parameter.First[i] = buffer;
            parameter.Values[i] -= length[0] * buffer;
        }
    }
}

/// <summary>Adam (Kingma and Ba 2015) with betas 0.9 and 0.999 and epsilon 1e-8, which is added outside the bias-corrected root.</summary>
internal sealed class AdamSolver : Solver
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const float Epsilon = 1e-8f;

    protected override void Prepare(Parameter parameter)
    {
        if (parameter.Second.Length == 0)
            parameter.Second = new float[parameter.Values.Length];
    }

    protected override void Update(Parameter parameter, int start, int end, double rate, int step)
    {
        var values = Vectors(parameter.Values, start, end);
        var gradients = Vectors(parameter.Gradient, start, end);
        var first = Vectors(parameter.First, start, end);
        var second = Vectors(parameter.Second, start, end);
        // 1 - beta is taken in float64 and then rounded, as in torch.optim, where it is a Python number.
        var (keep1, take1) = (new Vector<float>((float)Beta1), new Vector<float>((float)(1 - Beta1)));
        var (keep2, take2) = (new Vector<float>((float)Beta2), new Vector<float>((float)(1 - Beta2)));
        var decay = new Vector<float>(WeightDecay);
        var length = new Vector<float>((float)(rate / (1 - Math.Pow(Beta1, step))));
        var root = new Vector<float>((float)Math.Sqrt(1 - Math.Pow(Beta2, step)));
        var epsilon = new Vector<float>(Epsilon);
        for (var i = 0; i < values.Length; i++)
        {
            var gradient = gradients[i] + decay * values[i];
            first[i] = keep1 * first[i] + take1 * gradient;
            second[i] = keep2 * second[i] + take2 * gradient * gradient;
            // In the order of torch.optim: float32 would round sqrt(v / (1 - beta^t)) differently.
            values[i] -= length * (first[i] / (Vector.SquareRoot(second[i]) / root + epsilon));
        }

        for (var i = start + values.Length * Vector<float>.Count; i < end; i++)
        {
            // The vectors' operations in their order: a value's bits must not depend on its place.
            var gradient = parameter.Gradient[i] + WeightDecay * parameter.Values[i];
            var mean = keep1[0] * parameter.First[i] + take1[0] * gradient;
            var square = keep2[0] * parameter.Second[i] + take2[0] * gradient * gradient;
            (parameter.First[i], parameter.Second[i]) = (mean, square);
            parameter.Values[i] -= length[0] * (mean / (MathF.Sqrt(square) / root[0] + Epsilon));
        }
    }
}
