using TransferPipeline.Onnx;

namespace TransferPipeline.Backbones;

/// <summary>
/// The tensors that separate a network: every way from the image to the feature passes through each. The part below one can run once and
/// be cached, the part above it can be trained alone. What only asks for shapes is no way.
/// </summary>
internal sealed class SeparatingCuts
{
    public const string LastStage = "last-stage";
    public const string LastBlock = "last-block";
    public const string All = "all";

    private static readonly string[] Names = [LastStage, LastBlock, All];

    /// <summary>Of a network without stages, such as ViT, the last stage is this share of its blocks.</summary>
    private const int BlocksPerStage = 4;

    private readonly string _file;
    private readonly GraphIndex _index;
    private readonly string[] _chain;
    private readonly IReadOnlyDictionary<string, ProbedTensor> _shapes;
    private readonly Segment[] _segments;

    private SeparatingCuts(string file, GraphIndex index, string[] chain, IReadOnlyDictionary<string, ProbedTensor> shapes)
    {
        (_file, _index, _chain, _shapes) = (file, index, chain, shapes);
        _segments = [.. chain.Select((tensor, i) => Segment.Between(index, i + 1 < chain.Length ? chain[i + 1] : index.Input, tensor))];
    }

    /// <summary>From the feature (first) towards the image, whose own tensor is not among them.</summary>
    public IReadOnlyList<string> Tensors => _chain;

    /// <param name="feature">The tensor at the upper end.</param>
    public static SeparatingCuts Find(string file, ModelProto model, GraphIndex index, BackboneInput input, string feature)
    {
        string[] chain = [.. FeatureMapFinder.Dominators(index, feature)];
        return new(file, index, chain, ShapeProbe.Run(file, model, index, input, chain));
    }

    /// <summary>The tensor that a name means: last-stage, last-block, all (the image), or a tensor or node.</summary>
    /// <exception cref="UsageException">There is no such tensor, or it does not separate the network.</exception>
    public string Resolve(string cut) =>
        cut switch
        {
            All => _index.Input,
            LastStage => _chain[Stage()],
            LastBlock => _chain[Block()],
            _ => Named(cut),
        };

    /// <summary>The name that means this tensor, or an empty text.</summary>
    public string Alias(string tensor) =>
        _chain.Length < 2 ? ""
        : tensor == _chain[Stage()] ? LastStage
        : tensor == _chain[Block()] ? LastBlock
        : "";

    private string Named(string cut)
    {
        // Part of a tensor's name means that tensor; what resembles one of the words means the word.
        if (
            NearestName.Of(cut, Names) is { } near
            && !_index.Graph.Node.SelectMany(n => n.Output.Append(n.Name)).Any(n => n.Contains(cut, StringComparison.OrdinalIgnoreCase))
        )
            throw new UsageException(
                $"{Path.GetFileName(_file)}: no cut '{cut}'; did you mean '{near}'? (cuts: {string.Join(", ", Names)}, or a tensor; "
                    + "'transfer inspect --cuts' lists them)"
            );
        var tensor = cut == _index.Input ? cut : TensorNames.Find(_file, _index, cut);
        if (tensor == _index.Input || _chain.Contains(tensor))
            return tensor;
        var below = FeatureMapFinder.Dominators(_index, tensor).FirstOrDefault(_chain.Contains);
        throw new UsageException(
            $"{Path.GetFileName(_file)}: '{cut}' does not separate the network: other ways from the photo to the feature pass by it; "
                + $"{(below is null ? "" : $"the nearest tensor before it that does is '{below}'; ")}'transfer inspect --cuts' lists them"
        );
    }

    /// <summary>
    /// The separating tensor with the fewest values where the map was last made smaller: between the last layers that work on the larger
    /// map and the first that work on the smaller one.
    /// </summary>
    private int Stage()
    {
        // Index 0 is the feature: the first match is the one nearest to it.
        var last = Array.FindIndex(_segments, s => s.HasWeights && IsMap(s.Tensor));
        if (last < 0)
            return Block();
        var size = Positions(_segments[last].Tensor);
        // Twice the positions at least: padding changes a map's size by less, a stride of 2 by four.
        var larger = Array.FindIndex(_segments, last, s => IsMap(s.Tensor) && Positions(s.Tensor) >= 2 * size);
        if (larger < 0)
            return LastQuarter();
        var best = larger;
        // Towards the feature over what has no weights: a pooling leaves fewer values than it takes.
        for (var i = larger - 1; i >= 0 && !_segments[i].HasWeights; i--)
            best = Values(i) < Values(best) ? i : best;
        // Towards the image over one layer: a block that begins by widening its channels takes fewer values than it makes.
        for (var (i, layers) = (larger, 0); i + 1 < _chain.Length; i++)
        {
            if (_segments[i].HasWeights && (_segments[i].IsJoin || ++layers > 1))
                break;
            if (!IsMap(_chain[i + 1]) || Positions(_chain[i + 1]) != Positions(_chain[larger]))
                break;
            best = Values(i + 1) < Values(best) ? i + 1 : best;
        }

        return best;
    }

    private int LastQuarter()
    {
        var blocks = Blocks();
        // Rounded up, so that a network of few blocks trains one at least.
        return blocks.Length == 0 ? Block() : Before(blocks[(blocks.Length + BlocksPerStage - 1) / BlocksPerStage - 1]);
    }

    /// <summary>The input of the last block: of the last layers whose results are added or joined, else of the last one on a map.</summary>
    private int Block()
    {
        if (Blocks() is [var first, ..])
            return Before(first);
        var last = Array.FindIndex(_segments, s => s.HasWeights && IsMap(s.Tensor));
        return Before(last >= 0 ? last : Math.Max(0, Array.FindIndex(_segments, s => s.HasWeights)));
    }

    /// <summary>Segments that end in a sum or a concatenation of several ways, one of them with weights.</summary>
    private int[] Blocks() => [.. Enumerable.Range(0, _segments.Length).Where(i => _segments[i].HasWeights && _segments[i].IsJoin)];

    private int Before(int segment) => Math.Min(segment + 1, _chain.Length - 1);

    private bool IsMap(string tensor) => FeatureMapFinder.IsMap(_shapes[tensor]);

    private long Values(int i) => _shapes[_chain[i]].Shape.Skip(1).Aggregate(1L, (product, d) => product * d);

    /// <summary>Places of a map, or tokens.</summary>
    private long Positions(string tensor)
    {
        var shape = _shapes[tensor].Shape;
        return shape.Length == 3 ? shape[1]
            : ChannelAxis.ByLengths(shape, isSquare: true) == 3 ? shape[1] * shape[2]
            : shape[2] * shape[3];
    }

    /// <summary>What lies between two separating tensors that follow each other.</summary>
    /// <param name="Tensor">At its upper end.</param>
    /// <param name="HasWeights">A convolution or matrix product with constant weights is among its nodes.</param>
    /// <param name="IsJoin">A sum or concatenation brings several ways together.</param>
    private sealed record Segment(string Tensor, bool HasWeights, bool IsJoin)
    {
        public static Segment Between(GraphIndex index, string lower, string upper)
        {
            var nodes = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
            var open = new Stack<string>([upper]);
            while (open.TryPop(out var tensor))
            {
                if (tensor == lower || !index.Depends(tensor) || index.Producer(tensor) is not { } node || !nodes.Add(node))
                    continue;
                foreach (var input in GraphIndex.Inputs(node))
                    open.Push(input);
            }

            return new(upper, nodes.Any(n => IsWeighted(index, n)), nodes.Any(n => IsJoinOf(index, n)));
        }

        private static bool IsWeighted(GraphIndex index, NodeProto node) =>
            node.OpType is "Conv" or "FusedConv" or "ConvTranspose" or "Gemm" or "FusedGemm" or "MatMul" or "FusedMatMul"
            && node.Input.Count(index.Depends) == 1
            && node.Input.Count > 1;

        private static bool IsJoinOf(GraphIndex index, NodeProto node) =>
            node.OpType is "Add" or "Sum" or "Concat" && node.Input.Count(index.Depends) > 1;
    }
}
