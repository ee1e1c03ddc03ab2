using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Backbones;

internal sealed partial class Backbone
{
    /// <summary>Every layer with its shape, parameters and multiply-adds, as torchinfo shows them.</summary>
    /// <param name="cuts">The cuts whose lines are drawn; without any the default one, or none where it is not clear which tensor that
    /// is.</param>
    /// <exception cref="UsageException">There is no such tensor.</exception>
    /// <exception cref="BadInputException">ONNX Runtime cannot run the model.</exception>
    public BackboneSummary Summarize(params IReadOnlyList<CutRequest> cuts)
    {
        var names = (cuts.Count > 0 ? cuts : DefaultCuts()).GroupBy(c => Resolve(c).Tensor).ToDictionary(g => g.Key, g => g.First().Cut);
        var nodes = _index.Graph.Node.Where(n => n.Output.Any(_index.Depends)).ToList();
        // Shapes are those of a run with the file's fixed batch, by which multiply-adds are divided below.
        var shapes = Shapes(nodes, names.Keys);
        shapes[Input.Name] = new(TensorElementType.Float, Input.Shape(Input.Batch ?? 1), []);
        // Two cuts may keep the same layers, each counted once.
        var kept = names.Keys.SelectMany(_index.Ancestors).ToHashSet(ReferenceEqualityComparer.Instance);
        var counted = new HashSet<string>(StringComparer.Ordinal);
        var rows = new List<LayerRow>();
        foreach (var node in nodes)
        {
            var tensor = node.Output.First(_index.Depends);
            var shape = shapes.TryGetValue(tensor, out var seen) ? seen.Shape : [];
            rows.Add(
                new(
                    node.Name.Length > 0 ? node.Name : tensor,
                    node.OpType,
                    tensor,
                    shape,
                    CountParameters(node, counted),
                    CountMultiplyAdds(node, shape, shapes) / (Input.Batch ?? 1),
                    kept.Contains(node),
                    node.Output.Select(o => names.GetValueOrDefault(o, "")).FirstOrDefault(n => n.Length > 0, "")
                )
            );
        }

        var before = rows.Where(r => r.Kept).ToList();
        return new(
            rows,
            rows.Sum(r => r.Parameters),
            rows.Sum(r => r.MultiplyAdds),
            before.Sum(r => r.Parameters),
            before.Sum(r => r.MultiplyAdds)
        );
    }

    /// <summary>Shapes of what the nodes make; of what lies past the cuts only where ONNX Runtime can run that as well.</summary>
    private Dictionary<string, ProbedTensor> Shapes(List<NodeProto> nodes, ICollection<string> cuts)
    {
        try
        {
            return ShapeProbe.Run(File, _onnx.Model, _index, Input, Runnable(nodes));
        }
        catch (BadInputException) when (cuts.Count > 0)
        {
            // An operator that has a kernel on other devices alone, as BiasSoftmax has, is left out by the cut.
            var kept = cuts.SelectMany(_index.Ancestors).ToHashSet(ReferenceEqualityComparer.Instance);
            return ShapeProbe.Run(File, _onnx.Model, _index, Input, Runnable([.. nodes.Where(kept.Contains)]));
        }
    }

    /// <summary>Sensible cuts, from the classifier towards the image.</summary>
    /// <exception cref="BadInputException">ONNX Runtime cannot run the model.</exception>
    public IReadOnlyList<CutCandidate> Candidates()
    {
        var tuning = TuningCuts(Root);
        IReadOnlyList<string> dominators = tuning.Tensors;
        var costs = CostsBelow();
        var total = costs(Root);
        // Any output of an encoder may be the feature: all are offered, also those that do not separate the network.
        if (!HasClassifier)
            dominators = [.. Outputs.All.Select(o => o.Name).Concat(dominators).Distinct()];
        var shapes = ShapeProbe.Run(File, _onnx.Model, _index, Input, dominators);
        var preferred =
            HasClassifier ? Penultimate
            : DefaultCuts() is [var request] ? Resolve(request).Tensor
            : null;
        _features ??= dominators.FirstOrDefault(d => FeatureMapFinder.IsMap(shapes[d]));
        return
        [
            .. dominators
                .Where(d =>
                    shapes[d].Type is TensorElementType.Float or TensorElementType.Float16 or TensorElementType.Double
                    && shapes[d].Shape.Length > 1
                )
                .Select(d => new CutCandidate(
                    d,
                    _index.Producer(d)!.OpType,
                    shapes[d].Shape,
                    VectorLength(d, shapes[d].Shape, PoolingKind.None),
                    VectorLength(d, shapes[d].Shape, PoolingKind.Avg),
                    d == preferred ? CutRequest.Penultimate
                        : d == _features && !_index.Depends(CutRequest.Features) ? CutRequest.Features
                        : ""
                )
                {
                    TuningAlias = tuning.Alias(d),
                    // Not below 0: an output beside the root may need layers that the root does not.
                    ParametersAbove = Math.Max(0, total.Parameters - costs(d).Parameters),
                    MultiplyAddsBelow = costs(d).MultiplyAdds,
                    MultiplyAddsAbove = Math.Max(0, total.MultiplyAdds - costs(d).MultiplyAdds),
                }),
        ];
    }

    /// <summary>Where the network can be divided below a tensor, to train what is above.</summary>
    internal SeparatingCuts TuningCuts(string feature) => SeparatingCuts.Find(File, _onnx.Model, _index, Input, feature);

    /// <summary>Parameters, and multiply-adds of one photo, of all layers that a tensor needs.</summary>
    private Func<string, (long Parameters, long MultiplyAdds)> CostsBelow()
    {
        var rows = Summarize().Layers.ToDictionary(r => r.Tensor, StringComparer.Ordinal);
        return tensor =>
        {
            var needed = _index
                .Ancestors(tensor)
                .Select(n => n.Output.FirstOrDefault(_index.Depends) is { } made ? rows.GetValueOrDefault(made) : null)
                .OfType<LayerRow>()
                .ToList();
            return (needed.Sum(r => r.Parameters), needed.Sum(r => r.MultiplyAdds));
        };
    }

    /// <summary>The default cut; none where an encoder leaves open which output that is.</summary>
    private IReadOnlyList<CutRequest> DefaultCuts() =>
        HasClassifier || Outputs.All.Count(o => o.Form == OutputForm.Vector) == 1 ? [CutRequest.Default] : [];

    /// <summary>
    /// Tensors that ONNX Runtime can compute from the photo alone: operators of other domains, and what depends on them, stay out.
    /// </summary>
    private List<string> Runnable(List<NodeProto> nodes)
    {
        var lost = new HashSet<string>(StringComparer.Ordinal);
        var tensors = new List<string>();
        // The nodes are in topological order: what a lost tensor feeds is seen after it.
        foreach (var node in nodes)
        {
            var known =
                node.Domain is "" or "ai.onnx" or "ai.onnx.ml" or "com.microsoft"
                && node.OpType != "ZipMap"
                && !GraphIndex.Inputs(node).Any(lost.Contains);
            foreach (var output in node.Output.Where(o => o.Length > 0))
            {
                if (!known)
                    lost.Add(output);
                else if (_index.Depends(output) && !_index.NeedsOther(output))
                    tensors.Add(output);
            }
        }

        return tensors;
    }

    private long VectorLength(string tensor, long[] shape, PoolingKind pooling)
    {
        if (pooling != PoolingKind.None && shape.Length is 3 or 4 && ChannelAxis.Of(tensor, shape) is > 0 and var channels)
            shape = ChannelAxis.Usual(shape, channels);
        return CutBuilder.Length([1, .. shape.Skip(1)], new Pooling(pooling));
    }

    private long CountParameters(NodeProto node, HashSet<string> counted)
    {
        // A batch norm learns scale and bias; what follows them are statistics. Of Resize and Pad nothing is learnt.
        var inputs = node.OpType switch
        {
            "BatchNormalization" => node.Input.Take(3),
            "Resize" or "Upsample" or "Pad" or "Clip" or "Reshape" or "Slice" or "QuantizeLinear" or "DequantizeLinear" => [],
            "QLinearConv" or "QLinearMatMul" or "QGemm" => node.Input.Where((_, i) => i is 3 or 8 || (node.OpType == "QGemm" && i == 6)),
            _ => node.Input,
        };
        return inputs.Where(i => i.Length > 0 && !_index.Depends(i)).Sum(i => CountConstants(i, counted));
    }

    /// <summary>Learnt values behind a constant tensor, each counted once; single numbers (an epsilon, a factor) are not learnt.</summary>
    private long CountConstants(string tensor, HashSet<string> counted)
    {
        if (_index.Constant(tensor) is { } constant)
        {
            var count = TensorData.Count(constant);
            var isWeight =
                (DataType)constant.DataType
                is DataType.Float
                    or DataType.Float16
                    or DataType.Bfloat16
                    or DataType.Double
                    or DataType.Int8
                    or DataType.Uint8
                    or DataType.Int32;
            // A weight that several layers share is a parameter once, as in torchinfo.
            return count > 1 && isWeight && counted.Add(tensor) ? count : 0;
        }

        if (_index.Producer(tensor) is not { } node)
            return 0;
        // The scale and zero point beside a quantized weight are not learnt.
        return (node.OpType is "DequantizeLinear" or "QuantizeLinear" ? node.Input.Take(1) : node.Input).Sum(i =>
            CountConstants(i, counted)
        );
    }

    private long CountMultiplyAdds(NodeProto node, long[] output, Dictionary<string, ProbedTensor> shapes)
    {
        var made = output.Aggregate(1L, (product, d) => product * d);
        switch (node.OpType)
        {
            case "Conv" or "FusedConv" or "ConvInteger" or "QLinearConv":
                var weights = node.Input[node.OpType == "QLinearConv" ? 3 : 1];
                // Weights are outputs x inputs / group x kernel: each value of the output takes the product of the last axes.
                return ConstantShape.Of(_index, weights) is { } w ? made * w.Skip(1).Aggregate(1L, (product, d) => product * d) : 0;
            case "ConvTranspose":
                // A transposed convolution spreads each value of its input over outputs x kernel.
                var used = shapes[node.Input[0]].Shape.Aggregate(1L, (product, d) => product * d);
                return ConstantShape.Of(_index, node.Input[1]) is { } t ? used * t.Skip(1).Aggregate(1L, (product, d) => product * d) : 0;
            case "Gemm" or "FusedGemm" or "QGemm" or "MatMul" or "FusedMatMul" or "MatMulInteger" or "QLinearMatMul":
                var left = shapes.TryGetValue(node.Input[0], out var a) ? a.Shape : ConstantShape.Of(_index, node.Input[0]);
                // Each value of the product sums over the left operand's inner axis.
                return left is { Length: > 0 } ? made * (node.Int("transA", 0) != 0 ? left[^2] : left[^1]) : 0;
            default:
                return 0;
        }
    }
}
