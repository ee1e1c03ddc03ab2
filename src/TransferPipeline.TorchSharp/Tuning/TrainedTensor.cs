using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>One weight or running statistic with what its training needs.</summary>
internal sealed class TrainedTensor : IDisposable
{
    private readonly Tensor[] _leaves;

    /// <summary>What shards compute with where that is not <see cref="Master"/> itself.</summary>
    private readonly Tensor? _rounded;

    /// <param name="values">In the order of <paramref name="shape"/>.</param>
    /// <param name="shards">Shards that compute gradients of it; 0 for a statistic.</param>
    /// <param name="states">Arrays of its size that the optimizer keeps.</param>
    /// <param name="channelsLast">Keep a convolution's weights in the memory order of its input.</param>
    /// <param name="inBfloat16">Shards compute with values rounded to bfloat16.</param>
    public TrainedTensor(
        string name,
        float[] values,
        long[] shape,
        int shards,
        int states,
        Device device,
        bool channelsLast,
        bool inBfloat16 = false
    )
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        (Name, Shape) = (name, shape);
        var made = tensor(values, shape, device: device);
        // The values lie channels last in memory, while the shape stays that of ONNX.
        if (channelsLast && shape.Length == 4)
            made = made.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        Master = made.DetachFromDisposeScope();
        // zeros_like keeps the memory order, so that a step reads values and states side by side.
        States = [.. Enumerable.Range(0, states).Select(_ => zeros_like(Master).DetachFromDisposeScope())];
        // Once for all shards: rounding in each of them takes a third of a step of resnet18.
        _rounded = inBfloat16 ? Master.to(ScalarType.BFloat16).DetachFromDisposeScope() : null;
        // Each shard has a leaf of its own, over the same memory, in which its gradient is left.
        _leaves = [.. Enumerable.Range(0, shards).Select(_ => (_rounded ?? Master).detach().requires_grad_(true).DetachFromDisposeScope())];
    }

    public string Name { get; }

    public long[] Shape { get; }

    public bool IsStatistic => _leaves.Length == 0;

    /// <summary>The values.</summary>
    public Tensor Master { get; }

    /// <summary>The optimizer's arrays.</summary>
    public IReadOnlyList<Tensor> States { get; }

    /// <summary>Bytes of values, optimizer state, and one gradient per shard.</summary>
    public long Bytes
    {
        get
        {
            var (computed, rounded) = _rounded is null ? (sizeof(float), 0) : (sizeof(ushort), sizeof(ushort));
            return Master.numel() * (sizeof(float) * (1 + States.Count) + rounded + computed * _leaves.Length);
        }
    }

    /// <summary>What a shard computes with when it trains.</summary>
    public Tensor Of(int shard) => IsStatistic ? Master : _leaves[shard];

    /// <summary>The sum of the first shards' gradients in their order, a tensor of the caller's scope; null when there is none.</summary>
    public Tensor? TakeGradient(int shards)
    {
        Tensor? sum = null;
        for (var s = 0; s < shards; s++)
        {
            if (_leaves[s].grad is not { } gradient)
                continue;
            gradient = gradient.Widened();
            sum = sum is null ? gradient : sum.Plus_(gradient);
            // backward adds to a gradient that is there, so the next step needs none.
            _leaves[s].grad = null;
        }

        return sum;
    }

    /// <summary>Lets shards compute with the values as they are now; after a step.</summary>
    public void Round()
    {
        if (_rounded is not null)
            _ = _rounded.copy_(Master);
    }

    public float[] Values() => Read(Master);

    public void SetValues(ReadOnlySpan<float> values) => Write(Master, values);

    /// <summary>A tensor's values in the order of its shape.</summary>
    public static float[] Read(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        // contiguous() brings values that lie channels last into the order of the shape.
        return MemoryMarshal.Cast<byte, float>(tensor.detach().cpu().contiguous().bytes).ToArray();
    }

    public void Write(Tensor tensor, ReadOnlySpan<float> values)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var given = empty(Shape, ScalarType.Float32);
        MemoryMarshal.AsBytes(values).CopyTo(given.bytes);
        // copy_ takes care of the tensor's memory order and device.
        tensor.copy_(given);
        Round();
    }

    public void Dispose()
    {
        foreach (var leaf in _leaves)
            leaf.Dispose();
        foreach (var state in States)
            state.Dispose();
        _rounded?.Dispose();
        Master.Dispose();
    }
}
