using TorchSharp;
using TransferPipeline.Tuning;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>The steps of torch.optim's SGD, Adam and AdamW with its default constants, on one array at a time.</summary>
internal sealed class Optimizer(TunerOptions options)
{
    private const double Beta1 = 0.9,
        Beta2 = 0.999,
        Epsilon = 1e-8;

    /// <summary>Arrays that it keeps for each weight.</summary>
    public int States =>
        options.Optimizer == TunerOptimizer.Sgd
            ? options.Momentum > 0
                ? 1
                : 0
            : 2;

    /// <param name="gradient">Overwritten.</param>
    /// <param name="step">Number of this step, from 1.</param>
    public void Step(TrainedTensor weight, Tensor gradient, double rate, long step)
    {
        var (values, decay) = (weight.Master, options.WeightDecay);
        if (options.Optimizer == TunerOptimizer.AdamW)
        {
            using var left = (1 - rate * decay).ToScalar();
            values.mul_(left);
        }
        else if (decay > 0)
        {
            gradient.add_(values, Scalars.Of(decay));
        }

        if (options.Optimizer == TunerOptimizer.Sgd)
        {
            if (options.Momentum > 0)
                gradient = weight.States[0].mul_(Scalars.Of(options.Momentum)).Plus_(gradient);
            using var length = (-rate).ToScalar();
            values.add_(gradient, length);
            return;
        }

        var mean = weight.States[0].mul_(Scalars.Of(Beta1)).add_(gradient, Scalars.Of(1 - Beta1));
        var square = weight.States[1].mul_(Scalars.Of(Beta2)).addcmul_(gradient, gradient, Scalars.Of(1 - Beta2));
        using var correction = Math.Sqrt(1 - Math.Pow(Beta2, step)).ToScalar();
        using var factor = (-rate / (1 - Math.Pow(Beta1, step))).ToScalar();
        var root = square.sqrt().div_(correction).add_(Scalars.Of(Epsilon));
        values.addcdiv_(mean, root, factor);
    }
}
