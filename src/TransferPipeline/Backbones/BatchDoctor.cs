using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Backbones.Onnx;

namespace TransferPipeline.Backbones;

/// <param name="Shape">For a batch of one.</param>
/// <param name="Axis">The batch axis, -1 when there is none.</param>
internal sealed record BatchedTensor(TensorElementType Type, long[] Shape, int Axis);

/// <param name="Tensors">The graph's outputs.</param>
internal sealed record TreatedModel(ModelProto Model, int MaxBatch, string? Message, IReadOnlyDictionary<string, BatchedTensor> Tensors);

/// <summary>
/// Frees a batch that the exporter fixed, and proves it: several photos at once must give what each gives alone. A model whose batch
/// cannot be freed runs one by one.
/// </summary>
internal static class BatchDoctor
{
    /// <summary>Photos in the trial batch; one more where the file fixed just this batch.</summary>
    private const int Trial = 2;

    /// <summary>Largest difference between many and one by one, relative to the largest value: kernels for other sizes sum in other orders.</summary>
    private const float Tolerance = 1e-4f;

    /// <summary>The same for graphs that compute in 16 bits, whose epsilon is 1e-3.</summary>
    private const float HalfTolerance = 4e-3f;

    public static TreatedModel Treat(string file, ModelProto cut, BackboneInput input)
    {
        if (input.Batch == 0)
        {
            var asIs = Try(file, cut, input, out var reason);
            return asIs ?? OneByOne(file, cut, input, $"runs one photo at a time: {reason}");
        }

        var freed = cut.Clone();
        SetBatch(freed, input, 0);
        if (Try(file, freed, input, out _) is { } simple)
            return simple with { Message = $"its batch was fixed at {input.Batch}; made dynamic, and several photos at once give the same as one by one" };
        return OneByOne(file, cut, input, $"its batch is fixed at {input.Batch} and could not be made dynamic; runs one photo at a time");
    }

    private static TreatedModel? Try(string file, ModelProto model, BackboneInput input, out string reason)
    {
        reason = "";
        var n = input.Batch == Trial ? Trial + 1 : Trial;
        var tolerance = IsHalf(model) ? HalfTolerance : Tolerance;
        var all = Probe.Pixels(input.Shape(n));
        var size = all.Length / n;
        using var probe = CutBuilder.Load(file, model, input);
        Dictionary<string, ProbedTensor> many;
        List<Dictionary<string, ProbedTensor>> singles = [];
        try
        {
            for (var i = 0; i < n; i++)
                singles.Add(probe.Run(all[(i * size)..((i + 1) * size)], input.Shape(1), values: true));
            many = probe.Run(all, input.Shape(n), values: true);
        }
        catch (OnnxRuntimeException e)
        {
            reason = CutBuilder.OneLine(e);
            return null;
        }

        var tensors = new Dictionary<string, BatchedTensor>(StringComparer.Ordinal);
        foreach (var (name, one) in singles[0])
        {
            var axis = BatchAxis(one.Shape, many[name].Shape, n);
            tensors[name] = new(one.Type, one.Shape, axis);
            if (axis >= 0 && one.Type == TensorElementType.Float && Difference(many[name], singles.Select(s => s[name]).ToList(), axis) is var difference && !(difference <= tolerance))
            {
                reason = FormattableString.Invariant($"{n} photos at once differ from one by one by {difference:0.#e-0} of the largest value");
                return null;
            }
        }

        return new(model, int.MaxValue, null, tensors);
    }

    private static TreatedModel OneByOne(string file, ModelProto cut, BackboneInput input, string message)
    {
        using var probe = CutBuilder.Load(file, cut, input);
        var seen = CutBuilder.Run(file, probe, Probe.Pixels(input.Shape(1)), input.Shape(1), values: false);
        return new(cut, 1, message, seen.ToDictionary(s => s.Key, s => new BatchedTensor(s.Value.Type, s.Value.Shape, Array.IndexOf(s.Value.Shape, 1L))));
    }

    private static bool IsHalf(ModelProto model) =>
        TensorData.All(model.Graph).Any(t => (TensorProto.Types.DataType)t.DataType is TensorProto.Types.DataType.Float16 or TensorProto.Types.DataType.Bfloat16);

    /// <summary>The one axis that grows from 1 (or k) to n (or n k) with the batch; -1 when there is none or its entries are not one a photo.</summary>
    private static int BatchAxis(long[] one, long[] many, int n)
    {
        var axis = -1;
        if (one.Length != many.Length)
            return -1;
        for (var a = 0; a < one.Length; a++)
        {
            if (one[a] == many[a])
                continue;
            if (axis >= 0 || one[a] != 1 || many[a] != n)
                return -1;
            axis = a;
        }

        return axis;
    }

    private static float Difference(ProbedTensor many, IReadOnlyList<ProbedTensor> singles, int axis)
    {
        var n = singles.Count;
        var inner = many.Shape.Skip(axis + 1).Aggregate(1L, (product, d) => product * d);
        var (largest, difference) = (1e-12f, 0f);
        for (var i = 0; i < many.Values.Length; i++)
        {
            var (outer, rest) = (i / (inner * n), i % (inner * n));
            var single = singles[(int)(rest / inner)].Values[outer * inner + rest % inner];
            largest = Math.Max(largest, Math.Abs(single));
            var gap = Math.Abs(many.Values[i] - single);
            // A NaN on one side only is a difference; on both it is the network's answer to noise.
            difference = Math.Max(difference, float.IsNaN(gap) ? (float.IsNaN(single) && float.IsNaN(many.Values[i]) ? 0 : float.PositiveInfinity) : gap);
        }

        return difference / largest;
    }

    /// <summary>Declares the input's batch as n, or as dynamic for 0.</summary>
    internal static void SetBatch(ModelProto model, BackboneInput input, int n)
    {
        var dims = model.Graph.Input.First(i => i.Name == input.Name).Type.TensorType.Shape.Dim;
        dims[0] = n == 0 ? new TensorShapeProto.Types.Dimension { DimParam = "N" } : new TensorShapeProto.Types.Dimension { DimValue = n };
    }
}
