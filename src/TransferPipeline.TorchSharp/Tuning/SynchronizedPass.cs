using TorchSharp;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>
/// A batch in train mode through a graph with BatchNormalization. The shards wait for each other at each normalization; between two of them
/// each goes on alone, forward and backward, on any thread. All activations stay until the gradients are there.
/// </summary>
internal sealed class SynchronizedPass : IDisposable
{
    private readonly GraphPlan _plan;
    private readonly ShardThreads _threads;
    private readonly GraphRun[] _runs;
    private readonly bool _withGradients;
    private readonly BatchStatistics[] _statistics;

    /// <summary>By segment and shard: values that later segments take, and the leaves in their place.</summary>
    private readonly List<(Tensor Made, Tensor Leaf)>[][] _passed;

    /// <param name="runs">One per shard.</param>
    /// <param name="withGradients">Keep what the way back needs.</param>
    public SynchronizedPass(GraphPlan plan, ShardThreads threads, GraphRun[] runs, bool withGradients)
    {
        (_plan, _threads, _runs, _withGradients) = (plan, threads, runs, withGradients);
        _statistics = [.. plan.Segments.SkipLast(1).Select(s => new BatchStatistics(s, runs.Length))];
        _passed = [.. plan.Segments.Select(_ => new List<(Tensor, Tensor)>[runs.Length])];
    }

    /// <summary>The features of each shard, in which the losses leave their gradients.</summary>
    /// <param name="inputs">The cut's tensors for a shard, detached, disposed by the caller.</param>
    public Tensor[][] Forward(IReadOnlyList<IReadOnlyList<Tensor>> inputs)
    {
        for (var s = 0; s < _runs.Length; s++)
            _runs[s].Begin(inputs[s]);
        for (var k = 0; k < _plan.Segments.Count; k++)
        {
            var (segment, before) = (k, k > 0 ? _statistics[k - 1] : null);
            _threads.Run(_runs.Length, shard => Forward(segment, shard, before));
            if (k < _statistics.Length)
                Alone(() => _statistics[segment].Combine(_runs[0]));
        }

        return Array.ConvertAll(_runs, r => r.End());
    }

    /// <summary>From the features' gradients to those of the weights.</summary>
    public void Backward()
    {
        for (var k = _plan.Segments.Count - 1; k >= 0; k--)
        {
            var (segment, behind) = (k, k < _statistics.Length ? _statistics[k] : null);
            if (behind is not null)
                Alone(behind.CombineGradients);
            _threads.Run(_runs.Length, shard => Backward(segment, shard, behind));
        }
    }

    public void Dispose()
    {
        foreach (var run in _runs)
            run.Abandon();
        foreach (var statistics in _statistics)
            statistics.Dispose();
        foreach (var passed in _passed.SelectMany(s => s))
            Release(passed);
    }

    private void Forward(int segment, int shard, BatchStatistics? before)
    {
        using var scope = NewDisposeScope();
        var (part, run) = (_plan.Segments[segment], _runs[shard]);
        using (set_grad_enabled(false))
            before?.Apply(shard, run, _withGradients);
        using (set_grad_enabled(_withGradients))
        {
            run.Compute(part.First, part.End);
            _passed[segment][shard] = run.Cut(part.Passed);
        }

        using (set_grad_enabled(false))
            _statistics.ElementAtOrDefault(segment)?.Sum(shard, run);
    }

    private void Backward(int segment, int shard, BatchStatistics? behind)
    {
        using var scope = NewDisposeScope();
        using (set_grad_enabled(false))
            behind?.Differentiate(shard);
        var passed = _passed[segment][shard];
        var reached = passed.Select(p => (p.Made, Gradient: p.Leaf.grad)).Where(p => p.Gradient is not null).ToList();
        if (reached.Count > 0)
            autograd.backward([.. reached.Select(p => p.Made)], [.. reached.Select(p => p.Gradient!)]);
        Release(passed);
        if (segment == 0)
            return;
        using (set_grad_enabled(false))
            _statistics[segment - 1].SumGradients(shard);
    }

    private static void Alone(Action work)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        work();
    }

    private static void Release(List<(Tensor Made, Tensor Leaf)>? passed)
    {
        foreach (var (made, leaf) in passed ?? [])
        {
            made.Dispose();
            leaf.Dispose();
        }

        passed?.Clear();
    }
}
