using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <param name="Shape">For a batch of one.</param>
/// <param name="Axis">The batch axis, -1 when there is none.</param>
internal sealed record BatchedTensor(TensorElementType Type, long[] Shape, int Axis);

/// <param name="Tensors">The graph's outputs.</param>
internal sealed record TreatedModel(ModelProto Model, int? MaxBatch, string? Message, IReadOnlyDictionary<string, BatchedTensor> Tensors);

/// <summary>
/// Frees a batch that the exporter fixed, and proves it: several photos at once must give what each gives alone. A model whose batch
/// cannot be freed runs one by one.
/// </summary>
internal static class BatchDoctor
{
    /// <summary>Photos in the trial batch; one more where the file fixed just this batch.</summary>
    private const int Trial = 2;

    /// <summary>
    /// Largest difference between many and one by one, relative to the largest value: kernels for other sizes sum in other orders.
    /// </summary>
    private const float Tolerance = 1e-4f;

    /// <summary>Two runs on one photo: more than threads can change by summing in another order.</summary>
    private const float RandomTolerance = 1e-5f;

    /// <summary>The same as <see cref="Tolerance"/> for graphs that compute in 16 bits, whose epsilon is 1e-3.</summary>
    private const float HalfTolerance = 4e-3f;

    public static TreatedModel Treat(string file, ModelProto cut, BackboneInput input)
    {
        // A trial on a few photos would meet one of the branches alone.
        if (Decision(cut, input) is { } decision)
            return OneByOne(
                file,
                cut,
                input,
                $"runs one photo at a time: '{Name(decision)}' ({decision.OpType}) decides by the pixels of all photos of a batch together"
            );
        if (input.Batch is null)
        {
            var asIs = Try(file, cut, input, out var problem);
            if (asIs is not null)
                return asIs;
            // Declared as dynamic, yet baked in a shape inside.
            var first = problem;
            return TryRepaired(file, cut, input with { Batch = 1 }, ref problem) is { } repaired
                ? repaired with
                {
                    Message = "a batch of 1 was fixed inside; made dynamic, and several photos at once give the same as one by one",
                }
                : OneByOne(file, cut, input, $"runs one photo at a time: {first}");
        }

        // First without repairs: most exporters fix the batch in the declaration alone.
        var freed = cut.Clone();
        SetBatch(freed, input, 0);
        var treated = Try(file, freed, input, out var reason) ?? TryRepaired(file, cut, input, ref reason);
        return treated is not null
            ? treated with
            {
                Message = $"its batch was fixed at {input.Batch}; made dynamic, and several photos at once give the same as one by one",
            }
            : OneByOne(
                file,
                cut,
                input,
                $"its batch is fixed at {input.Batch} and cannot be made dynamic ({reason}); runs one photo at a time"
            );
    }

    /// <summary>An If, or a Loop's end, that depends on the pixels and not only on their number.</summary>
    private static NodeProto? Decision(ModelProto cut, BackboneInput input)
    {
        var index = new GraphIndex(cut.Graph, input.Name);
        return cut.Graph.Node.FirstOrDefault(n =>
            n.OpType is "If" or "Loop" && n.Input.Take(n.OpType == "If" ? 1 : 2).Any(i => i.Length > 0 && TakesPixels(i))
        );

        bool TakesPixels(string condition)
        {
            var (open, seen) = (new Stack<string>([condition]), new HashSet<string>(StringComparer.Ordinal));
            while (open.TryPop(out var tensor))
            {
                if (tensor == input.Name)
                    return true;
                if (!index.Depends(tensor) || !seen.Add(tensor) || index.Producer(tensor) is not { OpType: not ("Shape" or "Size") } node)
                    continue;
                foreach (var source in GraphIndex.Inputs(node))
                    open.Push(source);
            }

            return false;
        }
    }

    private static string Name(NodeProto node) => node.Name.Length > 0 ? node.Name : node.Output[0];

    /// <summary>Rewrites the shapes that bake the batch, then tries again.</summary>
    private static TreatedModel? TryRepaired(string file, ModelProto cut, BackboneInput input, ref string reason)
    {
        var index = new GraphIndex(cut.Graph, input.Name);
        Dictionary<string, ProbedTensor> shapes;
        try
        {
            shapes = ShapeProbe.Run(file, cut, index, input, [.. index.Tensors.Where(t => t.Length > 0)]);
        }
        catch (BadInputException e)
        {
            reason = e.Message;
            return null;
        }

        shapes[input.Name] = new(TensorElementType.Float, input.Shape(input.Batch ?? 1), []);
        var repaired = cut.Clone();
        SetBatch(repaired, input, 0);
        if (BatchAxes.Free(repaired, new GraphIndex(repaired.Graph, input.Name), shapes, input) is not { } lost)
            return Try(file, repaired, input, out reason);
        reason = lost;
        return null;
    }

    private static TreatedModel? Try(string file, ModelProto model, BackboneInput input, out string reason)
    {
        reason = "";

        // A batch other than the one that the file was exported with: shapes that hold that number would pass unnoticed.
        var n = input.Batch == Trial ? Trial + 1 : Trial;
        var tolerance = IsHalf(model) ? HalfTolerance : Tolerance;
        var all = Probe.Pixels(input, n);
        var size = all.Length / n;
        // Of less and less contrast, so that limits which are those of a whole batch show themselves.
        for (var i = size; i < all.Length; i++)
            all[i] = input.InLevels ? MathF.Floor(all[i] / (1 + i / size)) : all[i] / (1 + i / size);
        using var probe = CutBuilder.Load(file, model, input);
        Dictionary<string, ProbedTensor> many;
        List<Dictionary<string, ProbedTensor>> singles = [];
        try
        {
            // 1. Each photo alone, the first one twice.
            for (var i = 0; i < n; i++)
                singles.Add(probe.Run(all[(i * size)..((i + 1) * size)], input.Shape(1), values: true));
            RefuseRandom(file, singles[0], probe.Run(all[..size], input.Shape(1), values: true));

            // 2. All at once. ONNX Runtime refuses a graph whose shapes do not fit.
            many = probe.Run(all, input.Shape(n), values: true);
        }
        catch (OnnxRuntimeException e)
        {
            reason = e.OneLine();
            return null;
        }

        // 3. Every tensor that is looked for must grow along one axis and hold the same values there: a network that mixes the photos of a
        // batch (a normalization over it, a reshape that takes one for another) would give silently wrong vectors.
        var tensors = new Dictionary<string, BatchedTensor>(StringComparer.Ordinal);
        foreach (var (name, one) in singles[0])
        {
            var axis = BatchAxis(one.Shape, many[name].Shape, n);
            tensors[name] = new(one.Type, one.Shape, axis);
            if (axis < 0)
            {
                reason = $"'{name}' is {string.Join(" x ", many[name].Shape)} for {n} photos and {string.Join(" x ", one.Shape)} for one";
                return null;
            }

            if (
                axis >= 0
                && one.Type == TensorElementType.Float
                && Difference(many[name], singles.Select(s => s[name]).ToList(), axis) is var difference
                // Negated, so that NaN fails.
                && !(difference <= tolerance)
            )
            {
                reason = FormattableString.Invariant(
                    $"{n} photos at once differ from one by one by {difference:0.#e-0} of the largest value"
                );
                return null;
            }
        }

        return new(model, null, null, tensors);
    }

    /// <summary>The model for one photo; one fixed at n gets it n times, and the first result counts.</summary>
    private static TreatedModel OneByOne(string file, ModelProto cut, BackboneInput input, string message)
    {
        var single = cut.Clone();
        if (input.Batch is > 1 and { } copies)
            RepeatPhoto(file, single, input, copies);
        using var probe = CutBuilder.Load(file, single, input);
        var pixels = Probe.Pixels(input, 1);
        var seen = CutBuilder.Run(file, probe, pixels, input.Shape(1), values: true);
        RefuseRandom(file, seen, CutBuilder.Run(file, probe, pixels, input.Shape(1), values: true));
        return new(
            single,
            1,
            message,
            seen.ToDictionary(s => s.Key, s => new BatchedTensor(s.Value.Type, s.Value.Shape, Array.IndexOf(s.Value.Shape, 1L)))
        );
    }

    private static void RepeatPhoto(string file, ModelProto model, BackboneInput input, int copies)
    {
        // 1. Which outputs have the batch, and where.
        using var probe = CutBuilder.Load(file, model, input);
        var seen = CutBuilder.Run(file, probe, Probe.Pixels(input, copies), input.Shape(copies), values: false);

        // 2. An Expand before the network repeats the photo.
        var graph = new GraphWriter(model);
        var repeated = graph.Unique(input.Name + "_repeated");
        GraphEdit.Redirect(model.Graph, input.Name, repeated);
        var count = model.Graph.Node.Count;
        GraphEdit.RenameMade(model.Graph, graph.Node("Expand", [input.Name, graph.Constant("batch", [copies, 1L, 1L, 1L], 4)]), repeated);
        // The writer appends; ONNX wants the Expand before all who take its output.
        var expand = model.Graph.Node[count];
        model.Graph.Node.RemoveAt(count);
        model.Graph.Node.Insert(0, expand);
        SetBatch(model, input, 1);

        // 3. A Gather behind each such output takes the first of the equal results.
        foreach (var output in model.Graph.Output)
        {
            if (!seen.TryGetValue(output.Name, out var tensor) || Array.IndexOf(tensor.Shape, (long)copies) is not (>= 0 and var axis))
                continue;
            var all = graph.Unique(output.Name + "_all");
            GraphEdit.RenameMade(model.Graph, output.Name, all);
            GraphEdit.Redirect(model.Graph, output.Name, all);
            var first = graph.Node("Gather", [all, graph.Constant("first", [0L], 1)], ("axis", (long)axis));
            GraphEdit.RenameMade(model.Graph, first, output.Name);
        }
    }

    /// <summary>One photo twice must give one vector.</summary>
    private static void RefuseRandom(string file, Dictionary<string, ProbedTensor> first, Dictionary<string, ProbedTensor> second)
    {
        foreach (var (name, one) in first.Where(t => t.Value.Values.Length > 0))
        {
            var difference = one.Shape.SequenceEqual(second[name].Shape)
                // As one row: only the values are compared, and a shape may have any axes.
                ? Difference(second[name] with { Shape = [1, one.Values.Length] }, [one], 0)
                : float.PositiveInfinity;
            if (!(difference <= RandomTolerance))
                Throw.BadInput(Randomness.Differs(file, difference));
        }
    }

    private static bool IsHalf(ModelProto model) =>
        TensorData
            .All(model.Graph)
            .Any(t => (TensorProto.Types.DataType)t.DataType is TensorProto.Types.DataType.Float16 or TensorProto.Types.DataType.Bfloat16);

    /// <summary>
    /// The one axis that grows from 1 (or k) to n (or n k) with the batch; -1 when there is none or its entries are not one per photo.
    /// </summary>
    private static int BatchAxis(long[] one, long[] many, int n)
    {
        var axis = -1;
        if (one.Length != many.Length)
            return -1;
        for (var a = 0; a < one.Length; a++)
        {
            if (one[a] == many[a])
                continue;
            // From 1 to n alone: where k grows to n k, the entries of a photo need not stand together.
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
            // Row-major: outer axes, then photo, then what follows the batch axis.
            var (outer, rest) = (i / (inner * n), i % (inner * n));
            var single = singles[(int)(rest / inner)].Values[outer * inner + rest % inner];
            if (float.IsFinite(single))
                largest = Math.Max(largest, Math.Abs(single));
            // NaN and infinities on both sides are the network's answer to noise; their difference would be no number.
            var gap = many.Values[i].Equals(single) ? 0 : Math.Abs(many.Values[i] - single);
            difference = Math.Max(difference, float.IsFinite(gap) ? gap : float.PositiveInfinity);
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
