namespace TransferPipeline.Tuning;

/// <summary>Values of a part at one moment.</summary>
/// <param name="Graph">By the names of <see cref="ITunedPart.Parameters"/>, in the graph's own order of values.</param>
/// <param name="HeadWeights">C x D, row by row.</param>
/// <param name="HeadBias">C.</param>
internal sealed record TunedWeights(IReadOnlyDictionary<string, float[]> Graph, float[] HeadWeights, float[] HeadBias);
