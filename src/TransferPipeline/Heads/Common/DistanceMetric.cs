namespace TransferPipeline.Heads.Common;

/// <summary>Distances between vectors, as scikit-learn defines them.</summary>
public enum DistanceMetric
{
    /// <summary>1 - x.y / (|x| |y|); a vector of length zero is at distance 1 from all.</summary>
    Cosine,

    /// <summary>Length of x - y.</summary>
    Euclidean,
}
