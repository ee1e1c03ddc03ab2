using System.Runtime.InteropServices;

namespace TransferPipeline.LibjpegTurbo;

/// <summary>The few functions of TurboJPEG 3 (turbojpeg.h) that decoding takes, and the numbers of its parameters.</summary>
internal static unsafe partial class TurboJpeg
{
    /// <summary>Not a file's name: <see cref="TurboLibrary"/> resolves it.</summary>
    public const string Library = "turbojpeg";

    /// <summary>What <see cref="TurboLibrary"/> looks for in a library before it is used; libjpeg-turbo has them since 3.0.</summary>
    public static readonly string[] Functions =
    [
        "tj3Init",
        "tj3Destroy",
        "tj3Set",
        "tj3Get",
        "tj3DecompressHeader",
        "tj3SetCroppingRegion",
        "tj3Decompress8",
    ];

    /// <summary>TJINIT_DECOMPRESS and TJPF_RGB.</summary>
    public const int InitDecompress = 1,
        PixelsRgb = 0;

    /// <summary>TJPARAM_...: set before decoding.</summary>
    public const int StopOnWarning = 0,
        ScanLimit = 13,
        SaveMarkers = 25;

    /// <summary>TJPARAM_...: what the header states.</summary>
    public const int Subsampling = 4,
        Width = 5,
        Height = 6,
        Precision = 7,
        ColorSpace = 8,
        Progressive = 12,
        Lossless = 15;

    /// <summary>TJCS_RGB, TJCS_YCbCr and TJCS_GRAY; those after them have four components.</summary>
    public const int ColorsRgb = 0,
        ColorsYCbCr = 1,
        ColorsGrey = 2;

    [LibraryImport(Library, EntryPoint = "tj3Init")]
    public static partial nint Init(int kind);

    [LibraryImport(Library, EntryPoint = "tj3Destroy")]
    public static partial void Destroy(nint instance);

    // tj3Set and tj3Get touch one field, so the collector can wait for them. It could not wait for a decode.
    [LibraryImport(Library, EntryPoint = "tj3Set"), SuppressGCTransition]
    public static partial int Set(nint instance, int parameter, int value);

    [LibraryImport(Library, EntryPoint = "tj3Get"), SuppressGCTransition]
    public static partial int Get(nint instance, int parameter);

    [LibraryImport(Library, EntryPoint = "tj3DecompressHeader")]
    public static partial int DecompressHeader(nint instance, byte* encoded, nuint length);

    [LibraryImport(Library, EntryPoint = "tj3SetCroppingRegion")]
    public static partial int SetCroppingRegion(nint instance, Region region);

    [LibraryImport(Library, EntryPoint = "tj3Decompress8")]
    public static partial int Decompress(nint instance, byte* encoded, nuint length, byte* pixels, int pitch, int pixelFormat);

    /// <summary>tjregion.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Region
    {
        public int X;
        public int Y;
        public int Width;
        public int Height;
    }
}
