using TorchSharp;
using TransferPipeline.Tuning;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp;

/// <summary>
/// The steps of torch.optim's SGD, Adam and AdamW with its default constants, on one array at a time. TorchSharp's own make numbers that a
/// garbage collection frees during the call (<see cref="Scalars"/>).
/// </summary>
internal sealed class Optimizer(TunerOptimizer kind, double momentum, double weightDecay)
{
    private const double Beta1 = 0.9,
        Beta2 = 0.999,
        Epsilon = 1e-8;

    /// <summary>Arrays that it keeps for each weight.</summary>
    public int States =>
        kind == TunerOptimizer.Sgd
            ? momentum > 0
                ? 1
                : 0
            : 2;

    /// <param name="values">The weight, overwritten; no gradients are recorded while this is called.</param>
    /// <param name="states">Arrays of its size, 0 before the first step, overwritten.</param>
    /// <param name="gradient">Overwritten.</param>
    /// <param name="step">Number of this step, from 1.</param>
    public void Step(Tensor values, IReadOnlyList<Tensor> states, Tensor gradient, double rate, long step)
    {
        if (kind == TunerOptimizer.AdamW)
        {
            // A variable keeps the number alive until the call has returned (see Scalars).
            using var left = (1 - rate * weightDecay).ToScalar();
            values.mul_(left);
        }
        else if (weightDecay > 0)
        {
            gradient.add_(values, Scalars.Of(weightDecay));
        }

        if (kind == TunerOptimizer.Sgd)
        {
            // torch takes the first gradient as it is; from a state of 0 the sum is the same.
            if (momentum > 0)
                gradient = states[0].mul_(Scalars.Of(momentum)).Plus_(gradient);
            using var length = (-rate).ToScalar();
            values.add_(gradient, length);
            return;
        }

        var mean = states[0].mul_(Scalars.Of(Beta1)).add_(gradient, Scalars.Of(1 - Beta1));
        var square = states[1].mul_(Scalars.Of(Beta2)).addcmul_(gradient, gradient, Scalars.Of(1 - Beta2));
        using var correction = Math.Sqrt(1 - Math.Pow(Beta2, step)).ToScalar();
        using var factor = (-rate / (1 - Math.Pow(Beta1, step))).ToScalar();
        // As in torch, epsilon is added to the root after its correction.
        var root = square.sqrt().div_(correction).add_(Scalars.Of(Epsilon), Scalars.One);
        values.addcdiv_(mean, root, factor);
    }
}
