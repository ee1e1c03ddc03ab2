namespace TransferPipeline.Backbones;

/// <summary>A backbone layer by layer, with what it costs for one photo.</summary>
/// <param name="Layers">In the order of execution.</param>
/// <param name="Parameters">Weights and biases of the whole file; a batch norm's running statistics and quantization scales are not
/// counted.</param>
/// <param name="MultiplyAdds">Of its convolutions and matrix products, for one photo.</param>
/// <param name="ParametersToCut">The part that the cuts keep.</param>
/// <param name="MultiplyAddsToCut">The part that the cuts keep.</param>
internal sealed record BackboneSummary(
    IReadOnlyList<LayerRow> Layers,
    long Parameters,
    long MultiplyAdds,
    long ParametersToCut,
    long MultiplyAddsToCut
);

/// <summary>One layer.</summary>
/// <param name="Name">The node's name, or its output's where it has none.</param>
/// <param name="Operator">ONNX's name, such as Conv.</param>
/// <param name="Tensor">Its (first) output.</param>
/// <param name="Shape">Of that output, batch included.</param>
/// <param name="Kept">False when it lies past all cuts.</param>
/// <param name="Cut">The cut whose tensor the layer makes, as requested: its line is drawn below the layer; else empty.</param>
internal sealed record LayerRow(
    string Name,
    string Operator,
    string Tensor,
    IReadOnlyList<long> Shape,
    long Parameters,
    long MultiplyAdds,
    bool Kept,
    string Cut
);

/// <summary>A tensor through which every way from the image to the classifier passes: a sensible place to cut.</summary>
/// <param name="Tensor">The name to give as cut.</param>
/// <param name="Operator">What makes it.</param>
/// <param name="Shape">For one photo.</param>
/// <param name="Length">Of the vector without pooling.</param>
/// <param name="Pooled">Of the vector with pooling avg or max.</param>
/// <param name="Alias"><c>penultimate</c> or <c>features</c> where it is that cut, else empty.</param>
internal sealed record CutCandidate(string Tensor, string Operator, IReadOnlyList<long> Shape, long Length, long Pooled, string Alias)
{
    /// <summary><c>last-stage</c> or <c>last-block</c> where it is that cut of a fine-tuning, else empty.</summary>
    public string TuningAlias { get; init; } = "";

    /// <summary>Weights and biases between it and the feature: what a fine-tuning above it trains.</summary>
    public long ParametersAbove { get; init; }

    /// <summary>Multiply-adds of one photo up to it: what caching its activations saves in each epoch.</summary>
    public long MultiplyAddsBelow { get; init; }

    /// <summary>Multiply-adds of one photo between it and the feature.</summary>
    public long MultiplyAddsAbove { get; init; }
}
