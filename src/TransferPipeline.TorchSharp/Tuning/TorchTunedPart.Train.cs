using TorchSharp;
using TransferPipeline.Tuning;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>Gradients and steps.</summary>
internal sealed partial class TorchTunedPart
{
    public StepResult Train(TunedBatch batch, double backboneRate, double headRate)
    {
        var (result, shards) = Differentiate(batch, backboneRate != 0);
        // After the gradients: dropout draws by the number of steps that are done, Adam's correction counts from 1.
        _steps++;
        // Weights are independent of each other, and each sums its shards in their order.
        Guarded(() =>
            _threads.Run(
                _weights.Length + _heads.Length,
                i =>
                {
                    using var scope = NewDisposeScope();
                    using var still = no_grad();
                    var (weight, rate) = i < _weights.Length ? (_weights[i], backboneRate) : (_heads[i - _weights.Length], headRate);
                    if (weight.IsStatistic || weight.TakeGradient(shards) is not { } gradient)
                        return;
                    _optimizer.Step(weight.Master, weight.States, gradient, rate, _steps);
                    weight.Round();
                }
            )
        );
        return result;
    }

    /// <summary>The gradients of the batch's mean loss, in train mode, by the names of the weights; for tests.</summary>
    internal IReadOnlyDictionary<string, float[]> Gradients(TunedBatch batch)
    {
        var (_, shards) = Differentiate(batch, throughGraph: true);
        using var scope = NewDisposeScope();
        using var still = no_grad();
        return All.Where(w => !w.IsStatistic)
            .Select(w => (w.Name, Gradient: w.TakeGradient(shards)))
            .Where(w => w.Gradient is not null)
            .ToDictionary(w => w.Name, w => TrainedTensor.Read(w.Gradient!), StringComparer.Ordinal);
    }

    /// <summary>Leaves each shard's gradients in the weights.</summary>
    /// <returns>The result and the number of shards.</returns>
    private (StepResult Result, int Shards) Differentiate(TunedBatch batch, bool throughGraph)
    {
        var shards = Shard(batch.Photos);
        var results = new StepResult[shards.Length];
        // The whole batch's weight: shards divide their sums by it, and their gradients then only have to be added.
        var weight = 0.0;
        foreach (var label in batch.Labels.Span)
            weight += _options.ClassWeights?[label] ?? 1;
        Guarded(() =>
        {
            if (_isSynchronized)
                Synchronized(batch, shards, results, weight, throughGraph);
            else
                _threads.Run(shards.Length, s => results[s] = Differentiate(batch, shards[s], s, weight, throughGraph));
        });
        var (loss, correct) = (0.0, 0);
        foreach (var result in results)
            (loss, correct) = (loss + result.Loss, correct + result.Correct);
        return (new(loss, weight, correct), shards.Length);
    }

    private StepResult Differentiate(TunedBatch batch, Range photos, int shard, double weight, bool throughGraph)
    {
        using var scope = NewDisposeScope();
        Tensor[] features;
        // Where the backbone does not learn, libtorch keeps no activations of it.
        using (set_grad_enabled(throughGraph))
            features = Run(photos.Count, isTraining: true, shard).Forward(Inputs(batch, photos));
        return LeaveGradients(features, batch, photos, shard, weight);
    }

    /// <summary>With statistics of the whole batch.</summary>
    private void Synchronized(TunedBatch batch, Range[] shards, StepResult[] results, double weight, bool throughGraph)
    {
        // Of the inputs, which all segments may take.
        using var scope = NewDisposeScope();
        var inputs = Array.ConvertAll(shards, photos => Inputs(batch, photos));
        GraphRun[] runs = [.. shards.Select((photos, s) => Run(photos.Count, isTraining: true, s))];
        using var pass = new SynchronizedPass(_plan, _threads, runs, throughGraph);
        var features = pass.Forward(inputs);
        _threads.Run(
            shards.Length,
            s =>
            {
                using var own = NewDisposeScope();
                results[s] = LeaveGradients(features[s], batch, shards[s], s, weight);
            }
        );
        if (throughGraph)
            pass.Backward();
    }

    /// <summary>The shard's loss, whose gradients are left in the weights, or in the features where they are leaves.</summary>
    private StepResult LeaveGradients(Tensor[] features, TunedBatch batch, Range photos, int shard, double weight)
    {
        var labels = Labels(batch, photos);
        var logits = Logits(features[0], 0, shard);
        var loss = Loss(logits, labels);
        var result = Result(loss, logits, labels);
        if (_graph.Auxiliary is not null)
            loss = loss.Plus(Loss(Logits(features[1], 1, shard), labels).mul(Scalars.Of(_graph.AuxiliaryLossWeight)));
        using var total = weight.ToScalar();
        loss.div(total).backward();
        return result;
    }
}
