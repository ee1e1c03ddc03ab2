using static TorchSharp.torch;
using Function = System.Func<TransferPipeline.TorchSharp.Tuning.OperatorCall, TorchSharp.torch.Tensor>;

namespace TransferPipeline.TorchSharp.Tuning.Operators;

/// <summary>Matrix products.</summary>
internal static class Matrices
{
    public static IReadOnlyDictionary<string, Function> Table { get; } =
        new Dictionary<string, Function>(StringComparer.Ordinal)
        {
            ["MatMul"] = call => matmul(call.Data(0), call.Data(1)),
            ["Gemm"] = Gemm,
            ["Einsum"] = call => einsum(call.Text("equation", ""), [.. Enumerable.Range(0, call.Inputs.Length).Select(call.Data)]),
        };

    private static Tensor Gemm(OperatorCall call)
    {
        var (a, b, c) = (call.Data(0), call.Data(1), call.DataOrNull(2));
        var (alpha, beta) = (call.Float("alpha", 1), call.Float("beta", 1));
        var (transA, transB) = (call.Int("transA", 0) != 0, call.Int("transB", 0) != 0);
        if (!transA && alpha == 1 && beta == 1 && c is null or { shape: [_] })
            return nn.functional.linear(a, transB ? b : b.t(), c);
        var product = matmul(transA ? a.t() : a, transB ? b.t() : b);
        if (alpha != 1)
            product *= alpha;
        return c is null ? product : product + (beta == 1 ? c : c * beta);
    }
}
