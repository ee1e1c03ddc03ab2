using System.Runtime.InteropServices;

namespace TransferPipeline.NetVips;

/// <summary>The cache of decoded rows that libvips keeps behind every loader that reads from top to bottom.</summary>
/// <remarks>
/// It is for threads that fall behind and holds 512 rows, all of a common photo. Each eight rows of a JPEG take a new region, whose memory
/// is cleared first: up to a fifth of the time of decoding. Here one thread asks for each row once. The number of rows follows from the
/// height of tiles (libvips' thread.c: vips_get_tile_size, tilecache.c: vips_line_cache_build), which only an option for command lines
/// sets.
/// </remarks>
internal static unsafe partial class VipsLineCache
{
    /// <summary>Keeps 64 rows, of which <see cref="NetVipsDecoder"/> reads 16 at once. Pixels and errors do not depend on it.</summary>
    public static void Limit()
    {
        var group = NewGroup("vips"u8, "libvips"u8, "libvips"u8, 0, 0);
        AddOptions(group);
        var context = NewContext(0);
        SetMainGroup(context, group);
        fixed (
            byte* program = "transfer"u8,
                option = "--vips-tile-height=16"u8
        )
        {
            var values = stackalloc byte*[] { program, option };
            var arguments = values;
            var count = 2;
            // A libvips that lacks the option keeps more rows and is only slower, so the result does not matter.
            _ = Parse(context, &count, &arguments, null);
        }

        FreeContext(context);
    }

    [LibraryImport(VipsRows.Library, EntryPoint = "vips_add_option_entries")]
    private static partial void AddOptions(nint group);

    [LibraryImport(VipsRows.Library, EntryPoint = "g_option_group_new")]
    private static partial nint NewGroup(
        ReadOnlySpan<byte> name,
        ReadOnlySpan<byte> description,
        ReadOnlySpan<byte> help,
        nint data,
        nint destroy
    );

    [LibraryImport(VipsRows.Library, EntryPoint = "g_option_context_new")]
    private static partial nint NewContext(nint parameters);

    [LibraryImport(VipsRows.Library, EntryPoint = "g_option_context_set_main_group")]
    private static partial void SetMainGroup(nint context, nint group);

    [LibraryImport(VipsRows.Library, EntryPoint = "g_option_context_parse")]
    private static partial int Parse(nint context, int* count, byte*** arguments, nint* error);

    [LibraryImport(VipsRows.Library, EntryPoint = "g_option_context_free")]
    private static partial void FreeContext(nint context);
}
