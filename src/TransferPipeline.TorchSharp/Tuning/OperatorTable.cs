using TransferPipeline.TorchSharp.Tuning.Operators;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>ONNX's operators as differentiable functions of libtorch. The rest of ONNX's operators cannot be trained.</summary>
internal static class OperatorTable
{
    private static readonly Dictionary<string, Func<OperatorCall, Tensor[]>> Functions = new(StringComparer.Ordinal);

    static OperatorTable()
    {
        foreach (
            var family in (IReadOnlyDictionary<string, Func<OperatorCall, Tensor>>[])
                [
                    Activations.Table,
                    Arithmetic.Table,
                    Comparisons.Table,
                    Convolutions.Table,
                    Indexing.Table,
                    Layout.Table,
                    Matrices.Table,
                    Normalizations.Table,
                    Pooling.Table,
                    Reductions.Table,
                    Resizing.Table,
                ]
        )
        {
            foreach (var (op, function) in family)
                Functions.Add(op, call => [function(call)]);
        }

        // The one operator here with several outputs.
        Functions.Add("Split", Layout.Split);
    }

    /// <summary>Names of all operators, in order.</summary>
    public static IEnumerable<string> Names => Functions.Keys.Order(StringComparer.Ordinal);

    /// <summary>Null when there is none of that name.</summary>
    public static Func<OperatorCall, Tensor[]>? Find(string op) => Functions.GetValueOrDefault(op);
}
