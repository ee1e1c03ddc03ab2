namespace TransferPipeline.Features;

/// <summary>Sizes that bound memory and lost work. Debug builds shrink them, so that every test crosses the refill paths.</summary>
public static class ExtractionSizes
{
#if DEBUG
    public const int Batch = 3;
    private const int MaxRows = 16;
#else
    /// <summary>
    /// Photos in a batch on the CPU. On one thread a batch of 4 is within 5 % of the best of 1, 2, 4, 8 and 16 for float and
    /// quantized EfficientNet-Lite, and larger ones fall out of the cache. Every run has the full batch, its last one padded:
    /// a matrix product of one row may sum in another order than one of many.
    /// </summary>
    public const int Batch = 4;
    private const int MaxRows = 1024;
#endif

    /// <summary>Bytes of vectors in a part at most; three parts are in memory at a time.</summary>
    private const int MaxBytes = 16 << 20;

    /// <summary>Parts in memory: one that is filled, one that overlaps its end, one that is written.</summary>
    internal const int Buffers = 3;

    /// <summary>Rows of a part for vectors of this length (of all cuts together): about two seconds' work of two cores.</summary>
    public static int RowsPerPart(int dimension) => Math.Clamp(MaxBytes / (sizeof(float) * dimension), 1, MaxRows);
}
