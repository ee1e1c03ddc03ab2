using System.Runtime.InteropServices;
using NetVips;

namespace TransferPipeline.NetVips;

/// <summary>
/// Rows of an image as libvips decodes them, without the managed copy that NetVips' own <see cref="Region.Fetch"/> makes.
/// </summary>
internal static unsafe partial class VipsRows
{
    /// <summary>Not a file's name: <see cref="VipsRuntime"/> resolves it to the library that NetVips has loaded.</summary>
    public const string Library = "libvips";

    /// <summary>Whole rows of pixels, to be freed with <see cref="Free"/>; null when they cannot be decoded.</summary>
    public static byte* Fetch(Region region, int first, int count, int width)
    {
        nuint length;
        var rows = RegionFetch(region.DangerousGetHandle(), 0, first, width, count, &length);
        // The native call has the handle alone: a finalizer could release the region meanwhile.
        GC.KeepAlive(region);
        return rows;
    }

    [LibraryImport(Library, EntryPoint = "g_free")]
    public static partial void Free(void* memory);

    [LibraryImport(Library, EntryPoint = "vips_error_clear")]
    public static partial void ClearErrors();

    [LibraryImport(Library, EntryPoint = "vips_region_fetch")]
    private static partial byte* RegionFetch(nint region, int left, int top, int width, int height, nuint* length);
}
