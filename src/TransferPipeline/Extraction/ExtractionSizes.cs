using TransferPipeline.Backbones;

namespace TransferPipeline.Extraction;

/// <summary>Sizes that bound memory and lost work. Debug builds shrink them, so that every test crosses the refill paths.</summary>
internal static class ExtractionSizes
{
#if DEBUG
    private const int LightBatch = 3;
    private const int HeavyBatch = 3;
    private const int MaxRows = 16;
#else
    private const int LightBatch = 1;
    private const int HeavyBatch = 2;
    private const int MaxRows = 1024;
#endif

    /// <summary>Weights that stay in a core's share of the cache while one photo passes.</summary>
    private const int LightBytes = 32 << 20;

    /// <summary>Bytes of vectors in a part at most; three parts are in memory at a time.</summary>
    private const int MaxBytes = 16 << 20;

    /// <summary>Parts in memory: one that is filled, one that overlaps its end, one that is written.</summary>
    internal const int Buffers = 3;

    /// <summary>
    /// Photos in a batch on the CPU. One at a time keeps a small network's activations in the cache (EfficientNet-Lite0 is 6 % faster
    /// than with 4); large weights are better read for two. More gain VGG16 1 % and cost it 100 MB for each two photos. It depends on the
    /// backbone alone, and every run has the full batch, its last one padded: a matrix product of one row may sum in another order than one
    /// of many.
    /// </summary>
    public static int BatchOf(CutModel model) => model.AtMost(model.TotalBytes < LightBytes ? LightBatch : HeavyBatch);

    /// <summary>Rows of a part for vectors of this length (of all cuts together): about two seconds' work of two cores.</summary>
    public static int RowsPerPart(int dimension) => Math.Clamp(MaxBytes / (sizeof(float) * dimension), 1, MaxRows);
}
