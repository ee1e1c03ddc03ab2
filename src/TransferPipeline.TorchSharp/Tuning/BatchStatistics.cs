using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>
/// One BatchNormalization in train mode over the shards of a batch: each shard adds its sums, which are put together in the order of the
/// shards, forward for the statistics and backward for their gradients (as torch's SyncBatchNorm). What is called with a shard's number may
/// run beside the same of other shards.
/// </summary>
internal sealed class BatchStatistics(PlanSegment segment, int shards) : IDisposable
{
    private readonly PlannedNode _node = segment.Normalization!;
    private readonly Shard[] _shards = [.. Enumerable.Range(0, shards).Select(_ => new Shard())];
    private float[] _means = [];
    private float[] _deviations = [];
    private float[] _factors = [];
    private float[] _biases = [];
    private float[] _slopes = [];
    private float[] _offsets = [];
    private Tensor? _scale;
    private Tensor? _bias;

    private (float, float) Limits => (segment.Low, segment.High);

    /// <summary>Sums the node's input.</summary>
    public void Sum(int shard, GraphRun run)
    {
        var (call, own) = (run.Call(_node), _shards[shard]);
        var x = call.Data(0);
        own.Leaf = x.requires_grad ? x : null;
        own.Rows = Rows(x.detach()).DetachFromDisposeScope();
        (own.Sums, own.Products) = (new double[x.shape[1]], new double[x.shape[1]]);
        own.Count = x.numel() / x.shape[1];
        ChannelSums.Add(Values(own.Rows), own.Sums, own.Products);
    }

    /// <summary>Mean and variance of the batch, also into the running ones. After all shards' <see cref="Sum"/>.</summary>
    /// <param name="run">The first shard's, whose scale and bias get the whole batch's gradients.</param>
    public void Combine(GraphRun run)
    {
        var call = run.Call(_node);
        var (sums, squares, count) = Total();
        (_scale, _bias) = (call.Data(1), call.Data(2));
        var (scale, bias) = (TrainedTensor.Read(_scale), TrainedTensor.Read(_bias));
        var (means, variances) = (TrainedTensor.Read(call.Data(3)), TrainedTensor.Read(call.Data(4)));
        // ONNX's momentum is the share that is kept.
        var (kept, epsilon) = (call.Float("momentum", 0.9f), call.Float("epsilon", 1e-5f));
        var channels = sums.Length;
        (_means, _deviations, _factors, _biases) = (new float[channels], new float[channels], new float[channels], bias);
        for (var c = 0; c < channels; c++)
        {
            var mean = sums[c] / count;
            // Rounding may leave a small negative number where all values are equal; NaN stays.
            var variance = squares[c] / count - mean * mean;
            variance = variance < 0 ? 0 : variance;
            var deviation = Math.Sqrt(variance + epsilon);
            (_means[c], _deviations[c], _factors[c]) = ((float)mean, (float)deviation, (float)(scale[c] / deviation));
            means[c] = (float)(kept * means[c] + (1 - kept) * mean);
            // torch's running variance is the unbiased one, which a single value does not have.
            if (count > 1)
                variances[c] = (float)(kept * variances[c] + (1 - kept) * variance * count / (count - 1));
        }

        Write(call.Data(3), means);
        Write(call.Data(4), variances);
    }

    /// <summary>The normalized values, to which the run goes on; with their activation where there is one.</summary>
    public void Apply(int shard, GraphRun run, bool withGradients)
    {
        var own = _shards[shard];
        var made = empty_like(own.Rows!);
        ChannelSums.Normalize(Values(own.Rows!), _means, _factors, _biases, Limits, Values(made));
        own.Result = Maps(made).DetachFromDisposeScope();
        if (withGradients)
            own.Result.requires_grad = true;
        run.Give(_node, segment.Activation ?? _node, own.Result);
    }

    /// <summary>Sums the gradients that the result has by now.</summary>
    public void SumGradients(int shard)
    {
        var own = _shards[shard];
        (own.Sums, own.Products) = (new double[_means.Length], new double[_means.Length]);
        // Nothing that the loss depends on takes the result.
        if (own.Result!.grad is not { } gradient)
            return;
        own.Gradient = Rows(gradient.detach()).DetachFromDisposeScope();
        using var results = Rows(own.Result.detach());
        ChannelSums.AddGradients(Values(own.Rows!), Values(results), Values(own.Gradient), _means, Limits, own.Sums, own.Products);
    }

    /// <summary>Gradients of scale and bias. After all shards' <see cref="SumGradients"/>.</summary>
    public void CombineGradients()
    {
        var (sums, products, count) = Total();
        var channels = sums.Length;
        (_slopes, _offsets) = (new float[channels], new float[channels]);
        var (ofScale, ofBias) = (new float[channels], new float[channels]);
        for (var c = 0; c < channels; c++)
        {
            (ofScale[c], ofBias[c]) = ((float)(products[c] / _deviations[c]), (float)sums[c]);
            // The batch's mean and variance depend on every value.
            _slopes[c] = (float)(-_factors[c] * products[c] / count / ((double)_deviations[c] * _deviations[c]));
            _offsets[c] = (float)(-_factors[c] * sums[c] / count);
        }

        Leave(_scale!, tensor(ofScale, device: _scale!.device));
        Leave(_bias!, tensor(ofBias, device: _bias!.device));
    }

    /// <summary>Leaves the gradient of the node's input.</summary>
    public void Differentiate(int shard)
    {
        var own = _shards[shard];
        if (own is { Gradient: { } gradient, Leaf: { } leaf })
        {
            ChannelSums.Differentiate(Values(own.Rows!), Values(gradient), _means, _factors, _slopes, _offsets);
            Leave(leaf, Maps(gradient));
        }

        own.Dispose();
    }

    public void Dispose()
    {
        foreach (var shard in _shards)
            shard.Dispose();
    }

    /// <summary>The shards' sums in their order, and the values of a channel in all of them.</summary>
    private (double[] Sums, double[] Products, long Count) Total()
    {
        var (sums, products, count) = (new double[_shards[0].Sums.Length], new double[_shards[0].Sums.Length], 0L);
        foreach (var shard in _shards)
        {
            for (var c = 0; c < sums.Length; c++)
                (sums[c], products[c]) = (sums[c] + shard.Sums[c], products[c] + shard.Products[c]);
            count += shard.Count;
        }

        return (sums, products, count);
    }

    private static void Leave(Tensor leaf, Tensor gradient)
    {
        if (!leaf.requires_grad)
            return;
        if (leaf.grad is { } other)
            other.Plus_(gradient);
        else
            leaf.grad = gradient;
    }

    private static void Write(Tensor statistic, float[] values)
    {
        using var made = tensor(values);
        statistic.copy_(made);
    }

    /// <summary>The channels' axis behind all others; no copy where it lies so in memory.</summary>
    private static Tensor Rows(Tensor maps)
    {
        var rank = (int)maps.dim();
        return rank == 2 ? maps.contiguous() : maps.permute([0, .. Enumerable.Range(2, rank - 2).Select(a => (long)a), 1]).contiguous();
    }

    /// <summary>The channels' axis at its place again, in the same memory.</summary>
    private static Tensor Maps(Tensor rows)
    {
        var rank = (int)rows.dim();
        return rank == 2 ? rows.alias() : rows.permute([0, rank - 1, .. Enumerable.Range(1, rank - 2).Select(a => (long)a)]);
    }

    private static Span<float> Values(Tensor rows) => MemoryMarshal.Cast<byte, float>(rows.bytes);

    private sealed class Shard : IDisposable
    {
        /// <summary>The node's input where it has a gradient.</summary>
        public Tensor? Leaf { get; set; }

        public Tensor? Rows { get; set; }

        public Tensor? Result { get; set; }

        public Tensor? Gradient { get; set; }

        /// <summary>Rows.</summary>
        public long Count { get; set; }

        public double[] Sums { get; set; } = [];

        /// <summary>Sums of squares forward, of gradients times distances from the mean backward.</summary>
        public double[] Products { get; set; } = [];

        public void Dispose()
        {
            Rows?.Dispose();
            Result?.Dispose();
            Gradient?.Dispose();
            Gradient = null;
        }
    }
}
