using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>The layer that classifies and what it classifies.</summary>
/// <param name="Layer">The last layer with weights.</param>
/// <param name="Feature">Its input in float: the tensor of the penultimate cut.</param>
/// <param name="Quantized">Scale and zero point when <paramref name="Feature"/> exists only in 8 bits.</param>
/// <param name="Output">The graph output that it makes.</param>
/// <param name="Averaged">A Conv before the pooling (SqueezeNet): its feature is a map, and the vector is that map's average.</param>
internal sealed record ClassifierLayer(
    NodeProto Layer,
    string Feature,
    (string Scale, string ZeroPoint)? Quantized,
    string Output,
    bool Averaged,
    int Classes
);

/// <summary>What a walk back from one output found.</summary>
/// <param name="Classifier">Null when there is none.</param>
/// <param name="Features">Features of heads that are averaged or joined, when they are several; then there is no single penultimate
/// tensor.</param>
/// <param name="NoClassifier">Why the last layer is a projection and no classifier, in words; null when there is a classifier or no layer
/// at all.</param>
internal sealed record OutputHead(
    string Output,
    ClassifierLayer? Classifier,
    IReadOnlyList<string> Features,
    string? NoClassifier,
    int Depth
)
{
    /// <summary>
    /// The head that counts: the deepest one. Where several are as deep and take other features, one that stands for all of them.
    /// </summary>
    /// <returns>Null when no output ends in a classifier.</returns>
    public static OutputHead? Deepest(IReadOnlyList<OutputHead> heads)
    {
        var candidates = heads.Where(h => h.Classifier is not null || h.Features.Count > 0).ToList();
        var all = candidates.Where(h => h.Depth == candidates.Max(c => c.Depth)).ToList();
        IReadOnlyList<string> features = [.. all.SelectMany(h => h.Classifier is { } c ? [c.Feature] : h.Features).Distinct()];
        return all.Count == 0 ? null
            : features.Count == 1 ? all[0]
            : new(string.Join("' and '", all.Select(h => h.Output)), null, features, null, all[0].Depth);
    }
}

/// <summary>Finds the classifier of a graph by walking back from its outputs to the last layer with weights.</summary>
internal sealed class ClassifierWalk
{
    /// <summary>Heads that one output may join; beyond it the graph is no ensemble of heads.</summary>
    private const int MaxHeads = 64;

    /// <summary>ImageNet's numbers of classes: 1k with and without a background class, 21k and its pruned form, 22k.</summary>
    private static readonly int[] ImageNetClasses = [1000, 1001, 21841, 21843, 11221, 21842];

    private readonly GraphIndex _index;
    private readonly Positions _positions;
    private int _branches;

    private ClassifierWalk(GraphIndex index, Positions positions) => (_index, _positions) = (index, positions);

    /// <summary>What each output that depends on the image ends in.</summary>
    /// <param name="shapeOf">The shape of a tensor for one photo; null where the network does not run.</param>
    public static IReadOnlyList<OutputHead> Find(GraphIndex index, Func<string, long[]?> shapeOf)
    {
        var positions = new Positions(index, shapeOf);
        return
        [
            .. index
                .Graph.Output.Where(o => index.Depends(o.Name) && !index.NeedsOther(o.Name))
                .Select(o => new ClassifierWalk(index, positions).FromOutput(o)),
        ];
    }

    private OutputHead FromOutput(ValueInfoProto output)
    {
        // 1. Walk back over what may follow a classifier, to the last layers with weights.
        var none = new OutputHead(output.Name, null, [], null, -1);
        var found = Walk(output.Name, new());
        if (found is null or { Count: 0 } || found.Count > 1 && !AreSiblings(found))
            return none;
        // 2. Refuse what is no classifier of one vector: a map, a segmentation, an activated feature.
        var (layer, passed) = found[0];
        var depth = found.Max(f => _index.Depth(f.Layer.Layer.Output[0]));
        if (found.Any(f => !Accepts(f.Layer, f.Passed, output)))
            return none;
        // 3. What makes scores of each position of a map, or of each token, is a segmentation or a detection. Behind it an average is one
        // of features as well, since the layer is linear.
        var isOfPositions = IsOfPositions(layer, passed);
        if (isOfPositions && !passed.Pooled)
            return none with { NoClassifier = "makes scores of each position of a map or of each token", Depth = depth };
        // 4. An embedding's projection looks alike; names, normalization and a missing bias distinguish it.
        if (found.All(f => ProjectionEvidence.Reason(f.Layer, f.Passed, output.Name) is not null))
            return none with { NoClassifier = ProjectionEvidence.Reason(layer, found[0].Passed, output.Name), Depth = depth };
        // 5. Several heads share one feature, or there is no single penultimate tensor.
        var features = found.Select(f => f.Layer.Feature).Distinct().ToList();
        if (features.Count > 1)
            return none with { Features = features, Depth = depth };
        // 6. The number of classes: heads that are joined add theirs; a declared output wins where it has one value per class.
        var classes = found.Count == 1 ? layer.Units : found.Sum(f => f.Layer.Units);
        if (found[0].Passed.KeepsCount && output.Type?.TensorType?.Shape?.Dim is { Count: > 1 } dims && dims[^1].DimValue > 1)
            classes = (int)dims[^1].DimValue;
        return none with
        {
            Classifier = new(
                layer.Layer,
                layer.Feature,
                layer.Quantized,
                output.Name,
                passed.Pooled && (layer.IsConv || isOfPositions),
                classes
            ),
            Depth = depth,
        };
    }

    /// <summary>
    /// The layers with weights from which a tensor comes through head operators only; null when another operator lies between.
    /// </summary>
    private List<(WeightedLayer Layer, HeadState Passed)>? Walk(string tensor, HeadState passed)
    {
        // Terminates: every step goes to a producer, and the graph has no circle.
        while (_index.Producer(tensor) is { } node)
        {
            if (WeightedLayer.Of(_index, node) is { } layer)
            {
                // A matrix that maps probabilities to other classes lies behind the classifier that they come from.
                if (
                    _index.Producer(layer.Feature) is { OpType: "Softmax" }
                    && Walk(layer.Feature, passed with { KeepsCount = false }) is { } mapped
                )
                    return mapped;
                return HeadOperators.PassActivation(node, passed) is { } reached ? [(layer, reached)] : null;
            }

            if (HeadOperators.Pass(_index, node, passed) is { } next)
                (tensor, passed) = next;
            else if (HeadOperators.Branches(_index, node, passed) is { } branches)
                // What was averaged are heads and no positions of a map.
                return Merge(branches, passed with { Pooled = false });
            else
                return null;
        }

        return null;
    }

    private List<(WeightedLayer, HeadState)>? Merge(IReadOnlyList<string> branches, HeadState passed)
    {
        var all = new List<(WeightedLayer, HeadState)>();
        foreach (var branch in branches)
        {
            // Branches of branches grow exponentially; the limit also ends the recursion.
            if (++_branches > MaxHeads || Walk(branch, passed) is not { } found)
                return null;
            all.AddRange(found);
        }

        // A residual's two ways may meet the same layer.
        return all.DistinctBy(f => f.Item1.Layer.Output[0]).ToList();
    }

    /// <summary>
    /// Heads side by side: matrix products of which none lies before another, as the two ends of a residual connection do.
    /// </summary>
    private bool AreSiblings(List<(WeightedLayer Layer, HeadState Passed)> found) =>
        found.All(f => !f.Layer.IsConv)
        && found.All(f => _index.Ancestors(f.Layer.Feature) is var before && found.All(other => !before.Contains(other.Layer.Layer)));

    /// <summary>A Gemm takes vectors alone; a convolution over the whole map leaves one position.</summary>
    private bool IsOfPositions(WeightedLayer layer, HeadState passed) =>
        layer.IsConv
            ? !passed.Pooled && layer.IsPointwise(_index) && _positions.AreSeveral(layer.Feature, ofConv: true)
            : layer.Layer.OpType is not ("Gemm" or "FusedGemm" or "QGemm" or "If")
                && layer.Layer.Domain != "ai.onnx.ml"
                && _positions.AreSeveral(layer.Feature, ofConv: false);

    private bool Accepts(WeightedLayer layer, HeadState passed, ValueInfoProto output)
    {
        // Several positions: a map, or a segmentation.
        if (
            layer.IsConv
            && output.Type?.TensorType?.Shape?.Dim is { Count: 4 } map
            && (map[2].DimValue > 1 || map[3].DimValue > 1 && map[1].DimValue <= 1)
        )
            return false;
        if (layer.IsConv && !layer.IsPointwise(_index))
        {
            // As a Gemm over the flattened map; only a declared length shows that it leaves one position.
            if (
                passed.Pooled
                || !layer.CoversMap(_index)
                || output.Type?.TensorType?.Shape?.Dim is not { Count: > 1 } dims
                || dims[^1].DimValue != layer.Units
            )
                return false;
        }

        // A network without a classifier often ends in Conv, Clip, average; only a class count distinguishes it from SqueezeNet.
        return !passed.Activated || passed.Softmax || ImageNetClasses.Contains(layer.Units);
    }
}
