using System.Collections.Concurrent;
using TorchSharp;

namespace TransferPipeline.TorchSharp;

/// <summary>
/// Numbers for libtorch that live as long as the program. TorchSharp 0.107 turns a number into an object with a finalizer and passes its
/// native part alone, so that a garbage collection during the call frees what the call reads. Its + of two tensors, its add without a
/// factor, its operators of a tensor and a number, square and softplus do so too: the functions here take their place.
/// </summary>
internal static class Scalars
{
    private static readonly ConcurrentDictionary<double, Scalar> Known = new();

    /// <summary>The factor of a sum, which TorchSharp makes anew where it is left out.</summary>
    public static readonly Scalar One = Of(1);

    /// <summary>The sum of two tensors.</summary>
    public static torch.Tensor Plus(this torch.Tensor a, torch.Tensor b) => a.add(b, One);

    /// <summary>The sum of two tensors in the first one's memory.</summary>
    public static torch.Tensor Plus_(this torch.Tensor a, torch.Tensor b) => a.add_(b, One);

    /// <summary>For numbers of the graph and the options, which are few; a step's own are disposed after their call.</summary>
    public static Scalar Of(double value) => Known.GetOrAdd(value, static v => v.ToScalar());
}
