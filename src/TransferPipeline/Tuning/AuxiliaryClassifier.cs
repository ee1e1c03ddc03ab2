using TransferPipeline.Backbones;
using TransferPipeline.Onnx;

namespace TransferPipeline.Tuning;

/// <summary>A second classifier in a backbone's file, which branches off before the first one, as Inception v3's.</summary>
internal static class AuxiliaryClassifier
{
    /// <summary>
    /// Its feature, where it is computed from the cut alone; null for none. Of several the deepest: its branch passes most of the layers.
    /// </summary>
    public static CutRequest? Find(Backbone backbone, string cut)
    {
        var index = new GraphIndex(backbone.CopyModel().Graph, backbone.Input.Name);
        var heads = backbone.Heads.Where(h => h.Classifier is { Quantized: null }).OrderByDescending(h => h.Depth).ToList();
        if (heads.Count < 2 || heads[0].Classifier is not { } main)
            return null;
        // As many classes: two classifiers of other numbers are of two tasks. On one feature they are side by side.
        var found = heads
            .Where(h => h.Depth < heads[0].Depth)
            .Select(h => h.Classifier!)
            .FirstOrDefault(c => c.Classes == main.Classes && c.Feature != main.Feature && IsAbove(index, c.Feature, cut));
        return found is null ? null : new(found.Feature, found.Averaged ? new Pooling(PoolingKind.Avg) : Pooling.None);
    }

    /// <summary>All ways from the photo to the tensor pass the cut.</summary>
    private static bool IsAbove(GraphIndex index, string tensor, string cut)
    {
        if (tensor == cut)
            return false;
        var (open, seen) = (new Stack<string>([tensor]), new HashSet<string>(StringComparer.Ordinal) { cut });
        while (open.TryPop(out var name))
        {
            if (name == index.Input)
                return false;
            // Shapes of tensors below the cut are written anew (PassingShapes).
            if (index.Producer(name) is not { } node || node.OpType is "Shape" or "Size")
                continue;
            foreach (var input in GraphIndex.Inputs(node).Where(i => index.Depends(i) && seen.Add(i)))
                open.Push(input);
        }

        return true;
    }
}
