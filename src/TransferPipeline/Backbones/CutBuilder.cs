using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Backbones;

/// <summary>Makes a <see cref="CutModel"/>: prune, free the batch, pool, declare outputs.</summary>
internal sealed class CutBuilder(Backbone backbone, OnnxFile onnx, GraphIndex index)
{
    /// <summary>Values of a vector: twenty times those of VGG's largest map.</summary>
    private const int MaxLength = 1 << 26;

    public CutModel Build(IReadOnlyList<CutRequest> requests, IReadOnlyList<CutPoint> points)
    {
        // 1. Prune, and give the input one type.
        var input = backbone.Input;
        var cut = WithFloatInput(GraphPruner.Cut(onnx.Model, index, points.SelectMany(Tensors)), input);
        Randomness.DropUnused(cut);
        Randomness.Refuse(backbone.File, cut);
        // 2. Declare the tensors themselves, unpooled: the batch is proven on them, where a difference is not averaged away.
        var tensors = points.Select(p => p.Tensor).Distinct().ToList();
        Dequantize(cut, points);
        foreach (var tensor in tensors)
            cut.Graph.Output.Add(new ValueInfoProto { Name = tensor });

        // 3. Free the batch, or find that photos must run one by one.
        var batch = BatchDoctor.Treat(backbone.File, cut, input);
        cut = batch.Model;
        // 4. Replace the outputs by pooled vectors of N x D.
        cut.Graph.Output.Clear();
        var graph = new GraphWriter(cut);
        var outputs = new List<CutOutput>();
        for (var i = 0; i < points.Count; i++)
        {
            var (point, seen) = (points[i], batch.Tensors[points[i].Tensor]);
            var what = requests[i].Cut == point.Tensor ? $"'{point.Tensor}'" : $"{requests[i].Cut} ('{point.Tensor}')";
            var (tensor, shape) = BatchFirst(graph, point.Tensor, seen, what);
            var found = shape;
            // float16 and double features become float32, the one type of feature sets.
            if (seen.Type != TensorElementType.Float)
                tensor = graph.Node("Cast", [tensor], ("to", (long)DataType.Float));
            if (point.Pooling.Kind != PoolingKind.None && shape.Length is 3 or 4)
                (tensor, shape) = Usual(graph, tensor, shape, point.Tensor, seen.Axis, what);
            // Before the pooling, which stores matrices of its sides.
            var dimension = Dimension(shape, point.Pooling, what);
            tensor = PoolingWriter.Write(
                graph,
                tensor,
                shape,
                point.Pooling,
                shape.Length == 3 && point.Pooling.Kind is PoolingKind.Cls or PoolingKind.Mean or PoolingKind.ClsMean
                    ? PatchTokens.Of(backbone.File, onnx.Model, index, input, point.Tensor, shape[1])
                    : null,
                what
            );
            var name = graph.Unique(points.Count == 1 ? "feature" : $"feature_{i}");
            graph.Output(tensor, name, DataType.Float, batch.MaxBatch == 1 ? 1 : -1, dimension);
            outputs.Add(new(requests[i], name, point.Tensor, dimension) { Shape = found, BatchAxis = seen.Axis });
        }

        var external = cut.Graph.Initializer.Where(MappedWeights.IsExternal).Sum(t => TensorData.Location(t).Length);
        return new CutModel
        {
            Model = cut,
            ExternalBytes = external,
            InputName = input.Name,
            Layout = input.Layout,
            InputHeight = input.Height,
            InputWidth = input.Width,
            Outputs = outputs,
            MaxBatch = batch.MaxBatch,
            BatchMessage = batch.Message,
        };
    }

    /// <summary>Makes the image input float32 by a Cast behind it, whatever type the file has.</summary>
    public static ModelProto WithFloatInput(ModelProto model, BackboneInput input)
    {
        var tensor = model.Graph.Input.First(i => i.Name == input.Name).Type.TensorType;
        if ((DataType)tensor.ElemType == DataType.Float)
            return model;
        if ((DataType)tensor.ElemType == DataType.Uint8 && LevelCasts(model.Graph, input.Name) is { } casts)
        {
            // Whole levels are the same numbers in float32, and no gradient goes through a cast to bytes and back.
            foreach (var made in casts)
            {
                made.OpType = "Identity";
                made.Attribute.Clear();
            }

            tensor.ElemType = (int)DataType.Float;
            return model;
        }

        var name = new GraphWriter(model).Unique(input.Name + "_cast");
        GraphEdit.Redirect(model.Graph, input.Name, name);
        var cast = new NodeProto { OpType = "Cast", Name = name };
        cast.Input.Add(input.Name);
        cast.Output.Add(name);
        // A cast to uint8 drops fractions; whole levels, which such a network takes, have none.
        cast.Attribute.Add(OnnxAttributes.Create("to", (long)tensor.ElemType));
        model.Graph.Node.Insert(0, cast);
        tensor.ElemType = (int)DataType.Float;
        return model;
    }

    /// <summary>
    /// The casts to float32 in which all ways of the input end, behind operators that only move values; null where some do not.
    /// </summary>
    private static List<NodeProto>? LevelCasts(GraphProto graph, string input)
    {
        var (moved, casts) = (new HashSet<string>(StringComparer.Ordinal) { input }, new List<NodeProto>());
        foreach (var node in graph.Node.Where(n => GraphIndex.Inputs(n).Any(moved.Contains)))
        {
            switch (node.OpType)
            {
                case "Shape" or "Size":
                    break;
                case "Cast" when node.Int("to", 0) == (long)DataType.Float:
                    casts.Add(node);
                    break;
                case "Transpose" or "Identity" or "Reshape" or "Slice" or "Squeeze" or "Unsqueeze" or "Split" or "Flatten":
                case "Gather" when moved.Contains(node.Input[0]):
                case "Concat" when node.Input.All(moved.Contains):
                    moved.UnionWith(node.Output);
                    break;
                default:
                    return null;
            }
        }

        return graph.Output.Any(o => moved.Contains(o.Name)) ? null : casts;
    }

    /// <exception cref="BadInputException">ONNX Runtime refuses the model.</exception>
    public static Probe Load(string file, ModelProto model, BackboneInput input, bool optimize = true)
    {
        try
        {
            return new Probe(model, input.Name, optimize);
        }
        catch (OnnxRuntimeException e)
        {
            throw new BadInputException($"{file}: {OtherVersion(model) ?? $"ONNX Runtime cannot load it: {e.OneLine()}"}", e);
        }
    }

    /// <exception cref="BadInputException">The model fails when it runs.</exception>
    public static Dictionary<string, ProbedTensor> Run(string file, Probe probe, float[] pixels, long[] shape, bool values)
    {
        try
        {
            return probe.Run(pixels, shape, values);
        }
        catch (OnnxRuntimeException e)
        {
            throw new BadInputException(
                $"{file}: ONNX Runtime cannot run it on pixels of shape {string.Join(" x ", shape)}: {e.OneLine()}",
                e
            );
        }
    }

    /// <summary>The versions of the default operators that this ONNX Runtime takes; of older ones it knows some.</summary>
    private const int MinOpset = 7;
    internal const int MaxOpset = 26;

    /// <summary>The newest version of the file format that it takes.</summary>
    internal const int MaxIrVersion = 13;

    // ONNX Runtime's own message names a version and no cure.
    private static string? OtherVersion(ModelProto model) =>
        model.Opset > MaxOpset
            ? $"its operators are of opset {model.DefaultOperators?.Version}, and this ONNX Runtime takes up to {MaxOpset}; export it with "
                + $"opset_version={MaxOpset} or lower"
        : model.IrVersion > MaxIrVersion
            ? $"its format is of IR version {model.IrVersion}, and this ONNX Runtime takes up to {MaxIrVersion}; export it with an "
                + $"older onnx package"
        : model.Opset < MinOpset
            ? (
                model.DefaultOperators is null
                    ? "it does not state of which opset its operators are (opset_import)"
                    : $"its operators are of opset {model.DefaultOperators.Version}"
            ) + $", and this ONNX Runtime takes {MinOpset} to {MaxOpset}; export it again, or convert it with onnx.version_converter"
        : null;

    private static IEnumerable<string> Tensors(CutPoint point) =>
        point.Quantized is { } q ? [point.Tensor, q.Scale, q.ZeroPoint] : [point.Tensor];

    /// <summary>Appends DequantizeLinear to 8-bit tensors and points the cut at its output.</summary>
    private static void Dequantize(ModelProto cut, IReadOnlyList<CutPoint> points)
    {
        foreach (var point in points.Where(p => p.Quantized is not null).DistinctBy(p => p.Tensor))
        {
            var graph = new GraphWriter(cut);
            // The float tensor takes the cut's name, so that the cut is float.
            var quantized = graph.Unique(point.Tensor + "_8bit");
            GraphEdit.RenameMade(cut.Graph, point.Tensor, quantized);
            var dequantize = new NodeProto { OpType = "DequantizeLinear", Name = quantized + "_dequantize" };
            dequantize.Input.AddRange([quantized, point.Quantized!.Value.Scale, point.Quantized.Value.ZeroPoint]);
            dequantize.Output.Add(point.Tensor);
            cut.Graph.Node.Add(dequantize);
        }
    }

    /// <summary>Brings the batch axis to the front.</summary>
    private (string Tensor, long[] Shape) BatchFirst(GraphWriter graph, string tensor, BatchedTensor seen, string what)
    {
        if (
            seen.Type
            is not (TensorElementType.Float or TensorElementType.Float16 or TensorElementType.Double or TensorElementType.BFloat16)
        )
            Throw.Usage(
                $"{Path.GetFileName(backbone.File)}: {what} holds {seen.Type.ToString().ToLowerInvariant()} values; a cut must hold "
                    + $"floating-point values"
            );
        if (seen.Axis < 0 || seen.Shape.Length < 2)
            Throw.Usage(
                $"{Path.GetFileName(backbone.File)}: {what} of shape {string.Join(" x ", seen.Shape)} does not have one entry per "
                    + $"photo on one axis; choose another tensor"
            );
        if (seen.Axis == 0)
            return (tensor, seen.Shape);
        // The other axes keep their order, so that channels stay where poolings look for them.
        long[] order = [seen.Axis, .. Enumerable.Range(0, seen.Shape.Length).Where(a => a != seen.Axis).Select(a => (long)a)];
        return (graph.Node("Transpose", [tensor], ("perm", order)), [.. order.Select(a => seen.Shape[a])]);
    }

    /// <summary>Brings the channels to where poolings look for them.</summary>
    private (string Tensor, long[] Shape) Usual(GraphWriter graph, string tensor, long[] shape, string point, int batch, string what)
    {
        if (backbone.ChannelAxis.Of(point, shape, batch) is not (> 0 and var channels))
            throw new UsageException(
                $"{Path.GetFileName(backbone.File)}: {what} is of shape {string.Join(" x ", shape)}, and the graph does not show which "
                    + "axis holds the channels; use pooling none, or choose another tensor"
            );
        var order = ChannelAxis.UsualOrder(shape.Length, channels);
        return order.Index().All(a => a.Item == a.Index)
            ? (tensor, shape)
            : (graph.Node("Transpose", [tensor], ("perm", order)), ChannelAxis.Usual(shape, channels));
    }

    /// <summary>
    /// Length of the vector that a pooling makes of a tensor whose batch axis comes first, and whose channels are where they usually are.
    /// </summary>
    public static long Length(long[] shape, Pooling pooling)
    {
        var channels = shape.Length == 3 ? shape[2] : shape[1];
        // In 128 bits, since a pooling's sides may be any numbers.
        Int128 length = pooling.Kind switch
        {
            PoolingKind.Avg or PoolingKind.Max when shape.Length is 3 or 4 => channels,
            PoolingKind.Adaptive => (Int128)channels * pooling.Height * pooling.Width,
            PoolingKind.Cls or PoolingKind.Mean => channels,
            PoolingKind.ClsMean => 2 * channels,
            _ => shape.Skip(1).Aggregate(1L, (product, d) => product * d),
        };
        return (long)Int128.Min(length, long.MaxValue);
    }

    private static int Dimension(long[] shape, Pooling pooling, string what)
    {
        var length = Length(shape, pooling);
        if (length > MaxLength)
            Throw.Usage($"pooling {pooling} makes vectors of {length} values of {what}; at most {MaxLength} are taken");
        return (int)length;
    }
}
