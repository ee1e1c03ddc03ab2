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
            values.mul_(1 - rate * decay);
        else if (decay > 0)
            gradient.add_(values, decay);
        if (options.Optimizer == TunerOptimizer.Sgd)
        {
            if (options.Momentum > 0)
                gradient = weight.States[0].mul_(options.Momentum).add_(gradient);
            values.add_(gradient, -rate);
            return;
        }

        var mean = weight.States[0].mul_(Beta1).add_(gradient, 1 - Beta1);
        var square = weight.States[1].mul_(Beta2).addcmul_(gradient, gradient, 1 - Beta2);
        var root = square.sqrt().div_(Math.Sqrt(1 - Math.Pow(Beta2, step))).add_(Epsilon);
        values.addcdiv_(mean, root, -rate / (1 - Math.Pow(Beta1, step)));
    }
}
