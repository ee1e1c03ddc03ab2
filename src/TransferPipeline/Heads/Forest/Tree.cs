namespace TransferPipeline.Heads;

/// <summary>A decision tree. The left child of a node is the next one; a leaf holds the shares of the classes that it saw.</summary>
/// <param name="Feature">Column that a node tests, -1 for a leaf.</param>
/// <param name="Threshold">Values up to it go left.</param>
/// <param name="Right">Right child; for a leaf its first entry in <paramref name="Classes"/>.</param>
/// <param name="End">For a leaf the end of its entries in <paramref name="Classes"/>.</param>
/// <param name="Classes">Classes of the leaves.</param>
/// <param name="Shares">Their shares, which sum to one in each leaf.</param>
internal sealed record Tree(int[] Feature, float[] Threshold, int[] Right, int[] End, int[] Classes, float[] Shares)
{
    public int Nodes => Feature.Length;

    /// <summary>Adds the class shares of the leaf that a vector reaches.</summary>
    public void AddShares(ReadOnlySpan<float> vector, Span<float> sums)
    {
        var node = 0;
        while (Feature[node] >= 0)
            node = vector[Feature[node]] <= Threshold[node] ? node + 1 : Right[node];
        for (var i = Right[node]; i < End[node]; i++)
            sums[Classes[i]] += Shares[i];
    }
}
