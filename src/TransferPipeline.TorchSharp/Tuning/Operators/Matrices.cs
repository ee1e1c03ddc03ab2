using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Matrix products.</summary>
internal static class Matrices
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal)
        {
            ["MatMul"] = MatMul,
            ["Gemm"] = Gemm,
            ["Einsum"] = call => einsum(call.Text("equation", ""), [.. Enumerable.Range(0, call.Inputs.Length).Select(call.Data)]),
        };

    /// <summary>TorchSharp 0.107's own matmul ends the process when libtorch refuses it; these functions throw.</summary>
    private static Tensor MatMul(OperatorCall call)
    {
        var (a, b) = (call.Factor(0), call.Factor(1));
        if (b.dim() == 2)
            return nn.functional.linear(a, b.t());
        if (a.dim() < 2 || b.dim() < 2)
            throw new NotSupportedException("a MatMul with a vector");
        var batch = HostShapes.Broadcast(a.shape[..^2], b.shape[..^2]);
        return Flat(a).bmm(Flat(b)).reshape([.. batch, a.shape[^2], b.shape[^1]]);

        // bmm takes one batch axis.
        Tensor Flat(Tensor x) => x.expand([.. batch, .. x.shape[^2..]]).reshape(-1, x.shape[^2], x.shape[^1]);
    }

    private static Tensor Gemm(OperatorCall call)
    {
        var (a, b, c) = (call.Factor(0), call.Factor(1), call.FactorOrNull(2));
        var (alpha, beta) = (call.Float("alpha", 1), call.Float("beta", 1));
        var (transA, transB) = (call.Int("transA", 0) != 0, call.Int("transB", 0) != 0);
        // linear takes a bias of one axis; other forms of C broadcast and are added behind it.
        if (!transA && alpha == 1 && beta == 1 && c is null or { shape: [_] })
            return nn.functional.linear(a, transB ? b : b.t(), c);
        var product = nn.functional.linear(transA ? a.t() : a, transB ? b : b.t()).Widened();
        c = c?.Widened();
        if (alpha != 1)
            product = product.mul(Scalars.Of(alpha));
        return c is null ? product : product.Plus(beta == 1 ? c : c.mul(Scalars.Of(beta)));
    }
}
