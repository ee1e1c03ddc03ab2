namespace TransferPipeline.Heads;

/// <summary>A row's class (low 20 bits) and how often the tree drew it (high 12 bits) in one number.</summary>
internal static class Sample
{
    private const int ClassBits = 20;
    private const uint ClassMask = (1u << ClassBits) - 1;

    /// <summary>Counts above it are cut; with n draws from n rows one of 20 has a chance of 1e-19.</summary>
    private const int MostCount = (1 << (32 - ClassBits)) - 1;

    public static uint Create(int c, int count) => (uint)Math.Min(count, MostCount) << ClassBits | (uint)c;

    public static int Class(uint sample) => (int)(sample & ClassMask);

    public static int Count(uint sample) => (int)(sample >> ClassBits);
}
