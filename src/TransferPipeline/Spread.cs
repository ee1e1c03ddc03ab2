namespace TransferPipeline;

/// <summary>Some places of a list, evenly over it: photos stand by split and class, so that the first ones are of few classes.</summary>
internal static class Spread
{
    /// <returns>At most <paramref name="most"/> places from 0 on, ascending; all of a shorter list.</returns>
    public static int[] Over(int length, int most)
    {
        var count = Math.Min(most, length);
        // The product needs 64 bits.
        return [.. Enumerable.Range(0, count).Select(i => (int)((long)i * length / count))];
    }
}
