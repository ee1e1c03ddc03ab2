using TransferPipeline.Onnx;
using static TorchSharp.torch;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.TorchSharp.Tuning;

internal enum HostKind
{
    Integer,
    Truth,
    Real,
}

/// <summary>
/// A constant or a shape while the graph runs: values that do not depend on the photos. Integers and truth values are 64-bit integers,
/// reals are float32, as ONNX Runtime computes them.
/// </summary>
internal sealed class HostArray : IDisposable
{
    private readonly Lock _lock = new();
    private Tensor? _tensor;

    private HostArray(HostKind kind, long[] dims, long[] integers, float[] reals) =>
        (Kind, Dims, Integers, Reals) = (kind, dims, integers, reals);

    public HostKind Kind { get; }

    public long[] Dims { get; }

    /// <summary>Of integers and truth values; empty for reals.</summary>
    public long[] Integers { get; }

    /// <summary>Of reals; empty for others.</summary>
    public float[] Reals { get; }

    public int Count => Kind == HostKind.Real ? Reals.Length : Integers.Length;

    public static HostArray Of(long[] values, params long[] dims) => new(HostKind.Integer, dims, values, []);

    public static HostArray Of(float[] values, params long[] dims) => new(HostKind.Real, dims, [], values);

    public static HostArray Truths(long[] values, long[] dims) => new(HostKind.Truth, dims, values, []);

    /// <summary>A vector.</summary>
    public static HostArray Vector(params long[] values) => Of(values, values.Length);

    /// <exception cref="NotSupportedException">Its type has no place in training.</exception>
    public static HostArray Of(TensorProto tensor)
    {
        long[] dims = [.. tensor.Dims];
        return (DataType)tensor.DataType switch
        {
            DataType.Float => Of(TensorData.Floats(tensor), dims),
            DataType.Double => Of(Array.ConvertAll(TensorData.Numbers(tensor), v => (float)v), dims),
            DataType.Int64 or DataType.Int32 => Of(TensorData.Int64s(tensor), dims),
            DataType.Uint8 => Of(Array.ConvertAll(TensorData.Numbers(tensor), v => (long)v), dims),
            DataType.Bool => Truths(Array.ConvertAll(TensorData.Numbers(tensor), v => (long)v), dims),
            _ => throw new NotSupportedException($"the constant '{tensor.Name}' holds {(DataType)tensor.DataType} values"),
        };
    }

    /// <summary>The same values in another shape.</summary>
    public HostArray Shaped(params long[] dims) => new(Kind, dims, Integers, Reals);

    /// <summary>Values by their places in this array.</summary>
    public HostArray Take(long[] dims, int[] places) =>
        new(
            Kind,
            dims,
            Kind == HostKind.Real ? [] : Array.ConvertAll(places, p => Integers[p]),
            Kind == HostKind.Real ? Array.ConvertAll(places, p => Reals[p]) : []
        );

    public HostArray To(HostKind kind) =>
        kind == Kind ? this
        : kind == HostKind.Real ? Of(Array.ConvertAll(Integers, v => (float)v), Dims)
        : Kind == HostKind.Real && kind == HostKind.Integer ? Of(Array.ConvertAll(Reals, v => (long)v), Dims)
        : Kind == HostKind.Real ? Truths(Array.ConvertAll(Reals, v => v != 0 ? 1L : 0), Dims)
        : kind == HostKind.Truth ? Truths(Array.ConvertAll(Integers, v => v != 0 ? 1L : 0), Dims)
        : Of(Integers, Dims);

    /// <summary>The value as a float64, whatever the kind.</summary>
    public double At(int place) => Kind == HostKind.Real ? Reals[place] : Integers[place];

    /// <summary>The values as a tensor that lives as long as this array.</summary>
    public Tensor ToTensor(Device device)
    {
        // Several shards may ask for the same constant at once.
        lock (_lock)
        {
            // Detached, or the scope of the shard that used it first would dispose what later runs use.
            return _tensor ??= NewTensor(device).DetachFromDisposeScope();
        }
    }

    /// <summary>The values as a tensor of the caller's dispose scope.</summary>
    public Tensor NewTensor(Device device) =>
        Kind switch
        {
            HostKind.Real => tensor(Reals, Dims, device: device),
            HostKind.Integer => tensor(Integers, Dims, device: device),
            _ => tensor(Array.ConvertAll(Integers, v => v != 0), Dims, device: device),
        };

    public void Dispose() => _tensor?.Dispose();
}
