using TorchSharp;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp;

/// <summary>
/// Trains a network of linear layers with TorchSharp: first weights and order of rows are the library's own, steps are libtorch's.
/// Dropout draws from libtorch's one generator, so with it only one head trains at a time.
/// </summary>
internal sealed class TorchTraining
{
    private static readonly Lock Generator = new();

    private readonly string _name;
    private readonly TorchOptions _options;
    private readonly TrainingContext _context;

    public TorchTraining(string name, TorchOptions options, TrainingContext context) =>
        (_name, _options, _context) = (name, options, context);

    /// <param name="classWeights">One per class; null for none.</param>
    /// <returns>The kept weights and how it went.</returns>
    /// <exception cref="JobFailedException">The loss is not finite before any epoch's weights were kept.</exception>
    public (DenseNetwork Network, FitReport Fit) Run(
        DenseNetwork start,
        TrainingRows data,
        FeatureScaling scaling,
        EpochOrder order,
        float[]? classWeights
    )
    {
        if (_options.HiddenDropout == 0)
            return Train(start, data, scaling, order, classWeights);
        lock (Generator)
        {
            random.manual_seed(_context.Seed).Dispose();
            return Train(start, data, scaling, order, classWeights);
        }
    }

    private (DenseNetwork Network, FitReport Fit) Train(
        DenseNetwork start,
        TrainingRows data,
        FeatureScaling scaling,
        EpochOrder order,
        float[]? classWeights
    )
    {
        using var scope = NewDisposeScope();
        var device = TorchRuntime.Device(_name, _options.Device);
        var rows = new TorchRows(data, data.Rows, scaling, device);
        var validation = data.ValidationRows.Length > 0 ? new TorchRows(data, data.ValidationRows, scaling, device) : null;
        using var network = new TorchNetwork(start, _options.HiddenDropout, device);
        using var solver = new TorchSteps(network, _options);
        var weights = classWeights is null ? null : tensor(classWeights, device: device);
        var kept = new KeptWeights(_name, _options.LearningRate, validation is not null, _options.BestWeights, _context.Warn);
        var steps = 0;
        for (var epoch = 1; epoch <= _options.Epochs; epoch++)
        {
            var (loss, accuracy) = TrainEpoch(network, solver, _options.RateIn(epoch - 1), rows, order.Rows(epoch - 1), weights, ref steps);
            var (validationLoss, validationAccuracy) = validation is null
                ? (double.NaN, double.NaN)
                : Evaluate(network, validation, weights);
            if (!kept.Add(new(epoch, loss, accuracy, validationLoss, validationAccuracy), network.IsFinite(), network.Weights))
                return kept.Diverged(epoch, steps);
        }

        // No epoch follows the last one: a pass over the training rows proves its weights.
        return validation is not null || double.IsFinite(Evaluate(network, rows, weights).Loss)
            ? kept.Result(steps)
            : kept.Diverged(_options.Epochs, steps);
    }

    private (double Loss, double Accuracy) TrainEpoch(
        TorchNetwork network,
        TorchSteps solver,
        double rate,
        TorchRows rows,
        int[] order,
        Tensor? weights,
        ref int steps
    )
    {
        var (loss, weight, right) = (0.0, 0.0, 0L);
        for (var first = 0; first < order.Length; first += _options.StepRows)
        {
            _context.Cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(_options.StepRows, order.Length - first);
            // A scope per step: without it the tensors of all steps live until the training ends.
            using var scope = NewDisposeScope();
            var (x, y) = rows.Batch(order.AsSpan(first, count));
            var (batchLoss, batchRight, measured) = (0.0, 0L, false);
            solver.Step(
                () =>
                {
                    var scores = network.Forward(x, learns: true);
                    var value = nn.functional.cross_entropy(scores, y, weights);

                    // L-BFGS measures several times per step; the first is at the weights that the step begins with.
                    if (!measured)
                        (batchLoss, batchRight, measured) = (value.item<float>(), Right(scores, y), true);
                    // torch.optim's L-BFGS has no weight_decay of its own.
                    if (_options.Solver == TorchSolver.Lbfgs && _options.WeightDecay > 0)
                        value = value.Plus(network.SquaredLength().mul(Scalars.Of(_options.WeightDecay / 2)));
                    value.backward();
                    return value;
                },
                rate
            );
            // A batch's mean is divided by the weights of its labels, so the mean of an epoch weighs batches by them.
            var batchWeight = weights is null ? count : weights.index_select(0, y).sum().item<float>();
            (loss, weight, right, steps) = (loss + batchLoss * batchWeight, weight + batchWeight, right + batchRight, steps + 1);
        }

        return (loss / weight, (double)right / order.Length);
    }

    private static (double Loss, double Accuracy) Evaluate(TorchNetwork network, TorchRows rows, Tensor? weights)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var scores = network.Forward(rows.X, learns: false);
        return (nn.functional.cross_entropy(scores, rows.Y, weights).item<float>(), (double)Right(scores, rows.Y) / rows.Y.shape[0]);
    }

    private static long Right(Tensor scores, Tensor y) => scores.argmax(1).eq(y).sum().item<long>();
}
