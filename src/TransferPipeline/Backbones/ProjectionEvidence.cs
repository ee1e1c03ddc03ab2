namespace TransferPipeline.Backbones;

/// <summary>Distinguishes the projection of an encoder (CLIP's, a ViT's pooler, a face network's embedding) from a classifier.</summary>
internal static class ProjectionEvidence
{
    private static readonly string[] ClassNames = ["logit", "prob", "class", "score", "softmax", "label", "pred"];
    private static readonly string[] VectorNames = ["embed", "project", "pooler", "pooled", "latent", "feature"];
    private static readonly string[] LayerNames = ["embed", "projection", "projector", "visual_proj", "visual.proj", "pooler"];

    /// <summary>Lengths of embeddings are multiples of it, numbers of classes hardly ever.</summary>
    private const int VectorStep = 64;

    /// <returns>In words, to stand after "its last layer"; null for a classifier.</returns>
    public static string? Reason(WeightedLayer layer, HeadState passed, string output)
    {
        // In the order of strength: operators first, then the output's name, then names of layers and weights, then sizes.
        if (passed.Softmax)
            return null;
        if (passed.Normalized)
            return "is followed by a scaling to length 1";
        if (!passed.KeepsCount || Contains(output, ClassNames))
            return null;
        if (Contains(output, VectorNames))
            return $"makes the output '{output}'";
        if (Contains(layer.Layer.Name, LayerNames) || Contains(layer.Weights, LayerNames))
            return $"is named '{(Contains(layer.Layer.Name, LayerNames) ? layer.Layer.Name : layer.Weights)}'";
        if (passed.Tanh && layer.Units > 1 && layer.Units == layer.Inputs)
            return "is square and followed by Tanh, as a transformer's pooler";
        // A bias that batch normalization follows is superfluous, so that its absence shows nothing about a classifier there.
        var bare = passed.Normed || !passed.Biased && !layer.HasBias;
        return bare && layer.Units >= 2 * VectorStep && layer.Units % VectorStep == 0
            ? $"has {layer.Units} units {(passed.Normed ? "and a batch normalization behind it" : "without a bias")}"
            : null;
    }

    private static bool Contains(string name, string[] words) => words.Any(w => name.Contains(w, StringComparison.OrdinalIgnoreCase));
}
