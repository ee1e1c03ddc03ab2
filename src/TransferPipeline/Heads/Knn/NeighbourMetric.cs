namespace TransferPipeline.Heads;

/// <summary>Distances between vectors, as scikit-learn defines them.</summary>
internal enum NeighbourMetric
{
    /// <summary>1 - x.y / (|x| |y|); a vector of length zero is at distance 1 from all.</summary>
    Cosine,

    /// <summary>Length of x - y.</summary>
    Euclidean,
}
