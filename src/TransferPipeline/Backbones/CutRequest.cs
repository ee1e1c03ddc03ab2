namespace TransferPipeline.Backbones;

/// <summary>Where to stop a backbone and how to make a vector of what is there.</summary>
/// <param name="Cut"><c>penultimate</c>, <c>features</c>, or the name of a tensor or node.</param>
/// <param name="Pooling">Applied to the tensor at the cut.</param>
public sealed record CutRequest(string Cut, Pooling Pooling)
{
    public const string Penultimate = "penultimate";
    public const string Features = "features";

    public static CutRequest Default { get; } = new(Penultimate, Pooling.None);
}
