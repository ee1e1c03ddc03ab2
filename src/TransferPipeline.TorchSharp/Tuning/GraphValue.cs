using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>What a tensor of the graph holds while it runs: a tensor of libtorch, or an array that does not depend on the photos.</summary>
internal sealed class GraphValue
{
    private readonly bool _isOwned;

    private GraphValue(Tensor? tensor, HostArray? host, bool isOwned) => (Tensor, Host, _isOwned) = (tensor, host, isOwned);

    public Tensor? Tensor { get; }

    public HostArray? Host { get; }

    public long[] Shape => Host?.Dims ?? Tensor!.shape;

    /// <summary>A result of this run, disposed after its last use.</summary>
    public static GraphValue Made(Tensor tensor) => new(tensor, null, true);

    /// <summary>A weight or an input, which others dispose.</summary>
    public static GraphValue Given(Tensor tensor) => new(tensor, null, false);

    public static GraphValue Of(HostArray host) => new(null, host, false);

    /// <summary>Called after the last use; autograd keeps what it needs.</summary>
    public void Release()
    {
        if (_isOwned)
            Tensor!.Dispose();
    }
}
