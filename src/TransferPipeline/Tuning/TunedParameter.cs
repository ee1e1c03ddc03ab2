namespace TransferPipeline.Tuning;

/// <summary>A named array of the graph that training changes.</summary>
/// <param name="Name">
/// A tensor of the graph: an initializer, or the output of a Constant node or of an Identity of one. Exporters store equal weights once and
/// copy them by Identity; each copy trains on its own, so the tuned graph has an initializer of that name in the node's place.
/// </param>
/// <param name="Shape">As in the graph.</param>
/// <param name="IsStatistic">A running mean or variance of BatchNormalization, which no gradient changes.</param>
internal sealed record TunedParameter(string Name, IReadOnlyList<long> Shape, bool IsStatistic)
{
    /// <summary>A table or token of a transformer, which no layer takes for its weights.</summary>
    public bool IsTable { get; init; }

    public long Count => Shape.Aggregate(1L, (product, d) => product * d);
}
