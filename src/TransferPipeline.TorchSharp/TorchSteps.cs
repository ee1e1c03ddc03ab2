using TransferPipeline.Tuning;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp;

/// <summary>The steps of one of the solvers on a network's weights.</summary>
internal sealed class TorchSteps : IDisposable
{
    private readonly TorchNetwork _network;
    private readonly optim.Optimizer? _lbfgs;
    private readonly Optimizer _optimizer;
    private readonly Tensor[][] _states;
    private long _steps;

    public TorchSteps(TorchNetwork network, TorchOptions options)
    {
        _network = network;
        var kind = options.Solver == TorchSolver.Sgd ? TunerOptimizer.Sgd : TunerOptimizer.Adam;
        _optimizer = new(kind, options.Momentum, options.WeightDecay);
        // libtorch's own, which makes no numbers here.
        _lbfgs = options.Solver == TorchSolver.Lbfgs ? optim.LBFGS(network.Parameters, options.LearningRate) : null;
        _states =
        [
            .. network.Parameters.Select(p =>
                Enumerable.Range(0, _lbfgs is null ? _optimizer.States : 0).Select(_ => zeros_like(p).DetachFromDisposeScope()).ToArray()
            ),
        ];
    }

    /// <param name="loss">Computes the loss and the gradients from the weights; L-BFGS calls it several times.</param>
    /// <param name="rate">L-BFGS keeps the first one.</param>
    public void Step(Func<Tensor> loss, double rate)
    {
        if (_lbfgs is not null)
        {
            _lbfgs.step(() =>
            {
                _network.ClearGradients();
                return loss();
            });
            return;
        }

        _network.ClearGradients();
        loss();
        _steps++;
        using var still = no_grad();
        for (var i = 0; i < _states.Length; i++)
        {
            if (_network.Parameters[i].grad is { } gradient)
                _optimizer.Step(_network.Parameters[i], _states[i], gradient, rate, _steps);
        }
    }

    public void Dispose()
    {
        _lbfgs?.Dispose();
        foreach (var state in _states.SelectMany(s => s))
            state.Dispose();
    }
}
