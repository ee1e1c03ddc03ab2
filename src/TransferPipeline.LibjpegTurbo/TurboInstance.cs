using TransferPipeline.Images;

namespace TransferPipeline.LibjpegTurbo;

/// <summary>One instance of TurboJPEG's decompressor, for one photo.</summary>
internal readonly unsafe ref struct TurboInstance
{
    /// <summary>
    /// No camera writes more than a dozen scans; a file of hundreds makes a decoder work for minutes, and libvips has its own limit.
    /// </summary>
    private const int MostScans = 50;

    /// <summary>TJPARAM_SAVEMARKERS: none, colour profiles are not used.</summary>
    private const int NoMarkers = 0;

    private readonly nint _instance;

    /// <exception cref="JobFailedException">There is no memory for it.</exception>
    public TurboInstance()
    {
        _instance = TurboJpeg.Init(TurboJpeg.InitDecompress);
        if (_instance == 0)
            throw new JobFailedException("libjpeg-turbo does not start");
        // A warning is a damaged scan with invented pixels: libvips then decides, as it does without this library.
        Set(TurboJpeg.StopOnWarning, 1);
        Set(TurboJpeg.ScanLimit, MostScans);
        // New in 3.1; 3.0 saves none when it decodes.
        _ = TurboJpeg.Set(_instance, TurboJpeg.SaveMarkers, NoMarkers);
    }

    /// <summary>Reads the header; false when anything is wrong with it.</summary>
    public bool TryReadHeader(byte* encoded, int length) => TurboJpeg.DecompressHeader(_instance, encoded, (nuint)length) == 0;

    /// <summary>What the header states; -1 for what it does not state.</summary>
    public int Get(int parameter) => TurboJpeg.Get(_instance, parameter);

    /// <summary>Limits decoding to a part of the photo, whose left edge is a block's; false when that cannot be.</summary>
    public bool TrySetPart(PixelBox part) =>
        TurboJpeg.SetCroppingRegion(
            _instance,
            new()
            {
                X = part.X,
                Y = part.Y,
                Width = part.Width,
                Height = part.Height,
            }
        ) == 0;

    /// <summary>Decodes to RGB; false when anything is wrong with the file, and the pixels are undefined then.</summary>
    /// <param name="pitch">Bytes from one row to the next.</param>
    public bool TryDecode(byte* encoded, int length, byte* pixels, int pitch) =>
        TurboJpeg.Decompress(_instance, encoded, (nuint)length, pixels, pitch, TurboJpeg.PixelsRgb) == 0;

    public void Dispose() => TurboJpeg.Destroy(_instance);

    private void Set(int parameter, int value)
    {
        if (TurboJpeg.Set(_instance, parameter, value) != 0)
            throw new JobFailedException($"libjpeg-turbo refuses the value {value} for its parameter {parameter}");
    }
}
