using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Networks;

/// <summary>The weights that a training in epochs ends with, and how it went; whichever library trains.</summary>
/// <param name="name">Name of the head, for messages.</param>
/// <param name="validates">Whether there are validation rows.</param>
/// <param name="bestWeights">Keep those of the epoch with the best validation accuracy, the first of equals.</param>
internal sealed class KeptWeights(string name, double learningRate, bool validates, bool bestWeights, Action<string> warn)
{
    private readonly List<EpochRecord> _history = [];
    private (DenseNetwork? Network, int Epoch) _kept;
    private (DenseNetwork? Network, int Epoch) _proven;
    private double _bestAccuracy = double.NegativeInfinity;

    /// <summary>Takes an epoch that is over.</summary>
    /// <param name="isFinite">Whether all weights are numbers.</param>
    /// <param name="copy">Copies the weights.</param>
    /// <returns>False when the training diverged in it; <see cref="Diverged"/> then gives what is left.</returns>
    public bool Add(EpochRecord epoch, bool isFinite, Func<DenseNetwork> copy)
    {
        // The epoch's loss is of the weights before its last step; what that step did shows in the weights alone.
        if (!isFinite || !double.IsFinite(epoch.TrainLoss) || (validates && !double.IsFinite(epoch.ValidationLoss)))
            return false;
        _history.Add(epoch);
        if (!validates)
        {
            // Only the next epoch shows whether these weights give finite scores; this one has shown it of those before.
            (_proven, _kept) = (_kept, (copy(), epoch.Epoch));
        }
        else if (!bestWeights || epoch.ValidationAccuracy > _bestAccuracy)
        {
            _kept = _proven = (copy(), epoch.Epoch);
            _bestAccuracy = epoch.ValidationAccuracy;
        }

        return true;
    }

    /// <summary>The result of all epochs.</summary>
    public (DenseNetwork Network, FitReport Fit) Result(int steps) => Result(_kept, steps, converged: true);

    /// <summary>The last weights that gave finite scores, with a warning.</summary>
    /// <exception cref="JobFailedException">There are none.</exception>
    public (DenseNetwork Network, FitReport Fit) Diverged(int epoch, int steps)
    {
        var cure = FormattableString.Invariant($"lower learning_rate ({learningRate}) or choose another scaling");
        if (_proven.Network is null)
            throw new JobFailedException($"{name}: the loss is not finite in epoch {epoch}; {cure}") { IsOfHead = true };
        warn($"{name}: the loss is not finite in epoch {epoch}, the weights of epoch {_proven.Epoch} are kept; {cure}");
        return Result(_proven, steps, converged: false);
    }

    private (DenseNetwork Network, FitReport Fit) Result((DenseNetwork? Network, int Epoch) of, int steps, bool converged) =>
        (
            of.Network!,
            new()
            {
                Objective = _history[of.Epoch - 1].TrainLoss,
                Iterations = steps,
                Converged = converged,
                History = _history,
            }
        );
}
