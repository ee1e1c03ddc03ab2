namespace TransferPipeline.Backbones;

/// <summary>Where to stop a backbone and how to make a vector of what is there.</summary>
/// <param name="Cut"><c>penultimate</c>, <c>features</c>, or the name of a tensor or node.</param>
/// <param name="Pooling">Applied to the tensor at the cut.</param>
public sealed record CutRequest(string Cut, Pooling Pooling)
{
    /// <summary>The vector that the classifying layer takes.</summary>
    public const string Penultimate = "penultimate";

    /// <summary>The last feature map before pooling.</summary>
    public const string Features = "features";

    /// <summary>The vector before the classifying layer, unpooled.</summary>
    public static CutRequest Default { get; } = new(Penultimate, Pooling.None);
}
