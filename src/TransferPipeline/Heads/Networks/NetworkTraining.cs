using System.Numerics.Tensors;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Networks;

/// <summary>
/// Trains a network in epochs: batches in the given order, the mean cross-entropy of each, one step of the solver. Products are summed in
/// an order of their own whatever the threads, so the same seed gives the same bytes.
/// </summary>
internal sealed class NetworkTraining
{
    /// <summary>Rows that pass at once when nothing is learnt from them.</summary>
    private const int EvaluationBatch = 256;

    private const int GatherRows = 16;

    private readonly DenseNetwork _start;
    private readonly TrainingRows _data;
    private readonly FeatureScaling _scaling;
    private readonly EpochOptions _options;
    private readonly float[]? _classWeights;
    private readonly TrainingContext _context;

    public NetworkTraining(
        DenseNetwork start,
        TrainingRows data,
        FeatureScaling scaling,
        EpochOptions options,
        float[]? classWeights,
        TrainingContext context
    ) => (_start, _data, _scaling, _options, _classWeights, _context) = (start, data, scaling, options, classWeights, context);

    /// <summary>Name of the head, for messages.</summary>
    public required string Name { get; init; }

    /// <param name="order">The rows of each epoch (from 0).</param>
    /// <returns>The trained network, the start being left as it was, and how it went.</returns>
    /// <exception cref="JobFailedException">The loss stops being finite before any epoch's weights have proved usable.</exception>
    public (DenseNetwork Network, FitReport Fit) Run(Func<int, int[]> order)
    {
        var solver = Solver.Create(_options);
        var dropout = _options.HiddenDropout > 0 ? new Dropout(_options.HiddenDropout, _context.Seed) : null;
        var network = _start.Copy();
        var pass = new NetworkPass(network, Math.Min(_options.BatchSize, _data.Rows.Length), learns: true);
        var validation =
            _data.ValidationRows.Length > 0
                ? new NetworkPass(network, Math.Min(EvaluationBatch, _data.ValidationRows.Length), learns: false)
                : null;
        var kept = new KeptWeights(Name, _options.LearningRate, validation is not null, _options.BestWeights, _context.Warn);
        var step = 0;
        for (var epoch = 1; epoch <= _options.Epochs; epoch++)
        {
            var (loss, accuracy) = TrainEpoch(pass, solver, dropout, order(epoch - 1), _options.RateIn(epoch - 1), ref step);
            var (validationLoss, validationAccuracy) = validation is null
                ? (double.NaN, double.NaN)
                : Evaluate(validation, _data.ValidationRows);
            if (!kept.Add(new(epoch, loss, accuracy, validationLoss, validationAccuracy), IsFinite(network), network.Copy))
                return kept.Diverged(epoch, step);
        }

        // No epoch follows the last one: a pass over the training rows proves its weights.
        return validation is not null || GivesFiniteScores(network) ? kept.Result(step) : kept.Diverged(_options.Epochs, step);
    }

    private static bool IsFinite(DenseNetwork network) =>
        network.Layers.All(l =>
            float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(l.Weights))
            && float.IsFinite(TensorPrimitives.SumOfMagnitudes<float>(l.Bias))
        );

    /// <summary>Losses and hits are counted as the batches pass, before each step, as the tutorials of this field do.</summary>
    private (double Loss, double Accuracy) TrainEpoch(
        NetworkPass pass,
        Solver solver,
        Dropout? dropout,
        int[] rows,
        double rate,
        ref int step
    )
    {
        double loss = 0,
            weight = 0;
        var right = 0;
        var labels = new int[Math.Min(_options.BatchSize, rows.Length)];
        for (var start = 0; start < rows.Length; start += _options.BatchSize)
        {
            _context.Cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(_options.BatchSize, rows.Length - start);
            step++;
            if (dropout is not null)
                // The step is part of the hash: each batch drops other values.
                dropout.Step = step;
            Gather(rows, start, count, pass.Inputs, labels);
            pass.Forward(count, dropout, _context.Threads);
            var (batchLoss, batchWeight, batchRight) = pass.Loss(labels.AsSpan(0, count), _classWeights);
            (loss, weight, right) = (loss + batchLoss, weight + batchWeight, right + batchRight);
            pass.Backward(count, dropout?.Kept ?? 1, _context.Threads);
            foreach (var parameter in pass.Parameters)
                solver.Update(parameter, rate, step, _context.Threads);
        }

        return (loss / weight, (double)right / rows.Length);
    }

    private bool GivesFiniteScores(DenseNetwork network)
    {
        var pass = new NetworkPass(network, Math.Min(EvaluationBatch, _data.Rows.Length), learns: false);
        return double.IsFinite(Evaluate(pass, _data.Rows).Loss);
    }

    private (double Loss, double Accuracy) Evaluate(NetworkPass pass, int[] rows)
    {
        double loss = 0,
            weight = 0;
        var right = 0;
        var labels = new int[EvaluationBatch];
        for (var start = 0; start < rows.Length; start += EvaluationBatch)
        {
            _context.Cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(EvaluationBatch, rows.Length - start);
            Gather(rows, start, count, pass.Inputs, labels);
            pass.Forward(count, null, _context.Threads);
            var (batchLoss, batchWeight, batchRight) = pass.Loss(labels.AsSpan(0, count), _classWeights);
            (loss, weight, right) = (loss + batchLoss, weight + batchWeight, right + batchRight);
        }

        return (loss / weight, (double)right / rows.Length);
    }

    private void Gather(int[] rows, int first, int count, float[] inputs, int[] labels)
    {
        var columns = _data.X.Columns;
        Blocks.For(
            count,
            GatherRows,
            _context.Threads,
            (_, start, end) =>
            {
                for (var i = start; i < end; i++)
                {
                    var row = rows[first + i];
                    // Batch by batch: a scaled copy of all rows would take as much memory as the rows.
                    _scaling.Apply(_data.X.Row(row), inputs.AsSpan(i * columns, columns));
                    labels[i] = _data.Y[row];
                }
            }
        );
    }
}
