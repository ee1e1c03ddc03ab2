using TransferPipeline.Backbones;
using TransferPipeline.Images;
using TransferPipeline.Onnx;

namespace TransferPipeline.Tuning;

/// <summary>A backbone divided at a cut: what makes activations of pixels, and the graph above that is trained.</summary>
/// <param name="Cut">The tensor; the image's own where all is trained.</param>
/// <param name="Lower">From pixels to the cut (output 0) and on to the feature (output 1), as the file has it.</param>
/// <param name="Upper">From the cut to the feature.</param>
/// <param name="Input">The activation of one photo.</param>
/// <param name="Feature">The upper graph's tensor of N x D values.</param>
/// <param name="Auxiliary">The same of an auxiliary classifier above the cut; null for none.</param>
internal sealed record DividedBackbone(
    string Cut,
    bool TrainsAll,
    CutModel Lower,
    ModelProto Upper,
    TunedInput Input,
    string Feature,
    int Dimension,
    CutOutput? Auxiliary
)
{
    /// <param name="cut">last-stage, last-block, all, or a tensor.</param>
    /// <param name="feature">The cut on which the head is trained.</param>
    /// <exception cref="UsageException">There is no such cut, it does not separate the network, or nothing is above it.</exception>
    /// <exception cref="BadInputException">The network cannot be trained: see the message.</exception>
    public static DividedBackbone Make(Backbone backbone, string cut, CutRequest feature)
    {
        var file = Path.GetFileName(backbone.File);
        var probe = backbone.Cut(feature);
        var cuts = backbone.TuningCuts(probe.Outputs[0].Tensor);
        var tensor = cuts.Resolve(cut);
        if (tensor == probe.Outputs[0].Tensor)
            throw new UsageException(
                $"{file}: nothing but the head is above the cut '{cut}', which is the feature itself; 'transfer train' trains "
                    + $"the head alone"
            );
        if (probe.MaxBatch is { } most)
            throw new BadInputException(
                $"{backbone.File}: it cannot be trained: {probe.BatchMessage ?? $"it takes at most {most} photos at once"}; "
                    + "export it with a dynamic batch"
            );
        var auxiliary = AuxiliaryClassifier.Find(backbone, tensor);
        if (tensor == backbone.Input.Name)
            return Whole(tensor, auxiliary is null ? probe : backbone.Cut(feature, auxiliary));
        return At(backbone, tensor, auxiliary is null ? [feature] : [feature, auxiliary]);
    }

    /// <summary>The lower part alone, which computes nothing above the cut.</summary>
    public CutModel OpenLower(Backbone backbone) => backbone.Cut(new CutRequest(Cut, Pooling.None));

    private static DividedBackbone Whole(string input, CutModel model)
    {
        var upper = model.Model.Clone();
        var (h, w) = (model.InputHeight, model.InputWidth);
        int[] shape = model.Layout == TensorLayout.Nchw ? [3, h, w] : [h, w, 3];
        var (end, auxiliary) = (model.Outputs[0], model.Outputs.ElementAtOrDefault(1));
        return new(input, true, model, upper, new(input, shape), end.Name, end.Dimension, auxiliary);
    }

    /// <param name="features">The feature, and that of an auxiliary classifier.</param>
    private static DividedBackbone At(Backbone backbone, string tensor, CutRequest[] features)
    {
        // All outputs in one cut, so that the tensor and the features are of the same treated graph.
        var both = backbone.Cut([new CutRequest(tensor, Pooling.None), .. features]);
        var (at, ends) = (both.Outputs[0], both.Outputs.Skip(1).ToList());
        var model = both.Model.Clone();
        var index = new GraphIndex(model.Graph, both.InputName);
        var writer = new GraphWriter(model);
        // The tensor gets a new maker: the activation, whose first axis is the batch.
        GraphEdit.RenameMade(model.Graph, tensor, writer.Unique(tensor + "_below"));
        var name = tensor;
        // Batches are put together along the first axis; a transformer may have its tokens there, and photos second.
        if (at.BatchAxis != 0)
        {
            name = writer.Unique(tensor + "_batch_first");
            var turn = new NodeProto { OpType = "Transpose", Name = writer.Unique("Transpose") };
            turn.Input.Add(name);
            turn.Output.Add(tensor);
            turn.Attribute.Add(OnnxAttributes.Create("perm", Back(at.Shape.Count, at.BatchAxis)));
            model.Graph.Node.Insert(0, turn);
        }

        model.Graph.Input.Clear();
        model.Graph.Input.Add(GraphWriter.Declare(name, TensorProto.Types.DataType.Float, [-1, .. at.Shape.Skip(1)]));
        // Before the pruning: a shape of a tensor below the cut would keep the whole lower part in the graph.
        PassingShapes.Replace(backbone.File, model, index, name, both);
        var upper = GraphPruner.Cut(model, new GraphIndex(model.Graph, name), [.. ends.Select(e => e.Name)]);
        if (upper.Graph.Node.Any(n => GraphIndex.Inputs(n).Contains(both.InputName)))
            throw new UsageException(
                $"{Path.GetFileName(backbone.File)}: the photo's pixels pass by the cut '{tensor}'; choose another ('transfer "
                    + $"inspect --cuts')"
            );
        // Nodes that write a shape anew stand at the end.
        TopologicalOrder.Ensure(backbone.File, upper.Graph);
        upper.Graph.Output.Add(ends.Select(e => model.Graph.Output.First(o => o.Name == e.Name).Clone()));
        var input = new TunedInput(name, [.. at.Shape.Skip(1).Select(d => (int)d)]);
        return new(tensor, false, both, upper, input, ends[0].Name, ends[0].Dimension, ends.ElementAtOrDefault(1));
    }

    /// <summary>The axes that bring the batch from the front back to its place.</summary>
    private static long[] Back(int rank, int axis)
    {
        var perm = new List<long>(Enumerable.Range(1, rank - 1).Select(a => (long)a));
        perm.Insert(axis, 0);
        return [.. perm];
    }
}
