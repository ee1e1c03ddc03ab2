using System.Runtime.InteropServices;

namespace TransferPipeline.Libvips;

/// <summary>The few functions of libvips 8.18, GLib and GObject that decoding and encoding take; libvips.so.42 exports them all.</summary>
internal static unsafe partial class Vips
{
    private const string Library = "libvips.so.42";

    /// <summary>VIPS_ACCESS_SEQUENTIAL: rows are asked for once, from top to bottom.</summary>
    public const int AccessSequential = 1;

    /// <summary>VIPS_FAIL_ON_TRUNCATED: a file that ends early is an error; odd but complete data is not, as in PIL.</summary>
    public const int FailOnTruncated = 1;

    /// <summary>VIPS_FOREIGN_KEEP_NONE: no metadata in a file that is written.</summary>
    public const uint KeepNothing = 0;

    /// <summary>VipsBandFormat.</summary>
    public const int FormatByte = 0, FormatUShort = 2, FormatUInt = 4, FormatInt = 5, FormatFloat = 6, FormatDouble = 8;

    /// <summary>VipsInterpretation.</summary>
    public const int InterpretationLab = 13, InterpretationCmyk = 15, InterpretationLabShort = 21;

    [LibraryImport(Library, EntryPoint = "vips_init", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Init(string program);

    [LibraryImport(Library, EntryPoint = "vips_version")]
    public static partial int Version(int part);

    [LibraryImport(Library, EntryPoint = "vips_concurrency_set")]
    public static partial void ConcurrencySet(int threads);

    [LibraryImport(Library, EntryPoint = "vips_cache_set_max")]
    public static partial void CacheSetMax(int operations);

    [LibraryImport(Library, EntryPoint = "vips_block_untrusted_set")]
    public static partial void BlockUntrusted(int isBlocked);

    [LibraryImport(Library, EntryPoint = "vips_error_clear")]
    public static partial void ErrorClear();

    [LibraryImport(Library, EntryPoint = "g_log_set_default_handler")]
    public static partial nint LogSetDefaultHandler(delegate* unmanaged<byte*, int, byte*, void*, void> handler, void* data);

    [LibraryImport(Library, EntryPoint = "vips_operation_new")]
    public static partial nint OperationNew(byte* name);

    [LibraryImport(Library, EntryPoint = "vips_object_build")]
    public static partial int ObjectBuild(nint instance);

    [LibraryImport(Library, EntryPoint = "vips_object_unref_outputs")]
    public static partial void ObjectUnrefOutputs(nint instance);

    [LibraryImport(Library, EntryPoint = "g_object_unref")]
    public static partial void ObjectUnref(nint instance);

    [LibraryImport(Library, EntryPoint = "g_object_set_property")]
    public static partial void ObjectSetProperty(nint instance, byte* name, GValue* value);

    [LibraryImport(Library, EntryPoint = "g_object_get_property")]
    public static partial void ObjectGetProperty(nint instance, byte* name, GValue* value);

    [LibraryImport(Library, EntryPoint = "g_value_init")]
    public static partial void ValueInit(GValue* value, nint type);

    [LibraryImport(Library, EntryPoint = "g_value_unset")]
    public static partial void ValueUnset(GValue* value);

    [LibraryImport(Library, EntryPoint = "g_value_set_enum")]
    public static partial void ValueSetEnum(GValue* value, int number);

    [LibraryImport(Library, EntryPoint = "g_value_set_flags")]
    public static partial void ValueSetFlags(GValue* value, uint flags);

    [LibraryImport(Library, EntryPoint = "g_value_set_int")]
    public static partial void ValueSetInt(GValue* value, int number);

    [LibraryImport(Library, EntryPoint = "g_value_set_object")]
    public static partial void ValueSetObject(GValue* value, nint instance);

    [LibraryImport(Library, EntryPoint = "g_value_set_boxed")]
    public static partial void ValueSetBoxed(GValue* value, nint boxed);

    [LibraryImport(Library, EntryPoint = "g_value_get_object")]
    public static partial nint ValueGetObject(GValue* value);

    [LibraryImport(Library, EntryPoint = "g_value_get_boxed")]
    public static partial nint ValueGetBoxed(GValue* value);

    [LibraryImport(Library, EntryPoint = "g_type_from_name")]
    public static partial nint TypeFromName(byte* name);

    [LibraryImport(Library, EntryPoint = "vips_blob_get_type")]
    public static partial nint BlobType();

    [LibraryImport(Library, EntryPoint = "vips_image_get_type")]
    public static partial nint ImageType();

    [LibraryImport(Library, EntryPoint = "vips_blob_new")]
    public static partial nint BlobNew(nint free, void* data, nuint length);

    [LibraryImport(Library, EntryPoint = "vips_blob_get")]
    public static partial byte* BlobGet(nint blob, nuint* length);

    [LibraryImport(Library, EntryPoint = "vips_area_unref")]
    public static partial void AreaUnref(nint area);

    [LibraryImport(Library, EntryPoint = "vips_image_new_from_memory")]
    public static partial nint ImageNewFromMemory(byte* pixels, nuint length, int width, int height, int bands, int format);

    [LibraryImport(Library, EntryPoint = "vips_image_get_width"), SuppressGCTransition]
    public static partial int ImageWidth(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_height"), SuppressGCTransition]
    public static partial int ImageHeight(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_bands"), SuppressGCTransition]
    public static partial int ImageBands(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_format"), SuppressGCTransition]
    public static partial int ImageFormat(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_interpretation"), SuppressGCTransition]
    public static partial int ImageInterpretation(nint image);

    [LibraryImport(Library, EntryPoint = "vips_image_get_orientation")]
    public static partial int ImageOrientation(nint image);

    [LibraryImport(Library, EntryPoint = "vips_region_new")]
    public static partial nint RegionNew(nint image);

    [LibraryImport(Library, EntryPoint = "vips_region_fetch")]
    public static partial byte* RegionFetch(nint region, int left, int top, int width, int height, nuint* length);

    [LibraryImport(Library, EntryPoint = "g_free")]
    public static partial void Free(void* memory);

    /// <summary>GLib's value of any type (gvalue.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct GValue
    {
        public nint Type;
        public ulong Data0;
        public ulong Data1;
    }

    /// <summary>Warnings of libvips would go to stderr; a bad photo is reported by its reason instead.</summary>
    [UnmanagedCallersOnly]
    public static void Discard(byte* domain, int level, byte* message, void* data)
    {
    }
}
