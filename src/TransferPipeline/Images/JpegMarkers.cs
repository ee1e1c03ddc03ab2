namespace TransferPipeline.Images;

/// <summary>The second bytes of JPEG's markers, and the byte before them (ITU T.81, table B.1).</summary>
internal static class JpegMarkers
{
    public const byte Fill = 0xFF,
        Temporary = 0x01,
        FirstFrame = 0xC0,
        FirstProgressive = 0xC2,
        HuffmanTables = 0xC4,
        Extension = 0xC8,
        ArithmeticSequential = 0xC9;
    public const byte ArithmeticTables = 0xCC,
        LastFrame = 0xCF,
        FirstRestart = 0xD0,
        LastRestart = 0xD7,
        StartOfImage = 0xD8,
        EndOfImage = 0xD9,
        StartOfScan = 0xDA;
    public const byte QuantizationTables = 0xDB,
        Lines = 0xDC,
        RestartInterval = 0xDD,
        FirstApplication = 0xE0,
        Adobe = 0xEE,
        LastApplication = 0xEF,
        Comment = 0xFE;

    /// <summary>Whether a marker begins a frame header: precision, height, width, the number of components, three bytes for each.</summary>
    public static bool IsFrame(int code) => code is >= FirstFrame and <= LastFrame and not (HuffmanTables or Extension or ArithmeticTables);
}
