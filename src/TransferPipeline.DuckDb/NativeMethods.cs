using System.Reflection;
using System.Runtime.InteropServices;

namespace TransferPipeline.DuckDb;

/// <summary>The part of DuckDB's C API (duckdb.h, 1.5) that the adapter uses. Handles are opaque pointers; idx_t is 64 bits.</summary>
internal static unsafe partial class NativeMethods
{
    /// <summary>Rows of a full data chunk (STANDARD_VECTOR_SIZE of the builds that DuckDB ships).</summary>
    public const int ChunkRows = 2048;

    private const string Library = "duckdb";

    static NativeMethods() => NativeLibrary.SetDllImportResolver(typeof(NativeMethods).Assembly, Resolve);

    public enum State
    {
        Success,
        Error,
    }

    /// <summary>duckdb_type, as far as the adapter names types.</summary>
    public enum TypeId
    {
        Boolean = 1,
        TinyInt,
        SmallInt,
        Integer,
        BigInt,
        UTinyInt,
        USmallInt,
        UInteger,
        UBigInt,
        Float,
        Double,
        Varchar = 17,
        Blob = 18,
        List = 24,
        Struct = 25,
    }

    /// <summary>duckdb_result: passed by value to some functions, so its layout matters; all but the last field are obsolete.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Result
    {
        public ulong Columns;
        public ulong Rows;
        public ulong RowsChanged;
        public nint ColumnData;
        public nint ErrorMessage;
        public nint Internal;
    }

    /// <summary>duckdb_string_t: up to 12 bytes inline, else four bytes of prefix and an address.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    public struct StringEntry
    {
        private const int InlineBytes = 12;

        [FieldOffset(0)]
        private readonly uint _length;

        [FieldOffset(4)]
        private byte _inline;

        [FieldOffset(8)]
        private readonly byte* _address;

        /// <summary>The bytes of the string; valid while the chunk lives.</summary>
        public static ReadOnlySpan<byte> Bytes(StringEntry* entry) => entry->_length <= InlineBytes
            ? new ReadOnlySpan<byte>(&entry->_inline, (int)entry->_length)
            : new ReadOnlySpan<byte>(entry->_address, checked((int)entry->_length));
    }

    /// <summary>duckdb_list_entry: where a row's elements lie in the child vector.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ListEntry
    {
        public ulong Offset;
        public ulong Length;
    }

    [LibraryImport(Library, EntryPoint = "duckdb_library_version")]
    public static partial byte* LibraryVersion();

    [LibraryImport(Library, EntryPoint = "duckdb_free")]
    public static partial void Free(void* pointer);

    [LibraryImport(Library, EntryPoint = "duckdb_create_config")]
    public static partial State CreateConfig(out nint config);

    [LibraryImport(Library, EntryPoint = "duckdb_set_config", StringMarshalling = StringMarshalling.Utf8)]
    public static partial State SetConfig(nint config, string name, string option);

    [LibraryImport(Library, EntryPoint = "duckdb_destroy_config")]
    public static partial void DestroyConfig(ref nint config);

    [LibraryImport(Library, EntryPoint = "duckdb_open_ext", StringMarshalling = StringMarshalling.Utf8)]
    public static partial State OpenExt(string? path, out nint database, nint config, out byte* error);

    [LibraryImport(Library, EntryPoint = "duckdb_close")]
    public static partial void Close(ref nint database);

    [LibraryImport(Library, EntryPoint = "duckdb_connect")]
    public static partial State Connect(nint database, out nint connection);

    [LibraryImport(Library, EntryPoint = "duckdb_disconnect")]
    public static partial void Disconnect(ref nint connection);

    [LibraryImport(Library, EntryPoint = "duckdb_prepare", StringMarshalling = StringMarshalling.Utf8)]
    public static partial State Prepare(nint connection, string sql, out nint statement);

    [LibraryImport(Library, EntryPoint = "duckdb_prepare_error")]
    public static partial byte* PrepareError(nint statement);

    [LibraryImport(Library, EntryPoint = "duckdb_destroy_prepare")]
    public static partial void DestroyPrepare(ref nint statement);

    [LibraryImport(Library, EntryPoint = "duckdb_prepared_statement_column_count")]
    public static partial ulong StatementColumnCount(nint statement);

    [LibraryImport(Library, EntryPoint = "duckdb_prepared_statement_column_name")]
    public static partial byte* StatementColumnName(nint statement, ulong column);

    [LibraryImport(Library, EntryPoint = "duckdb_prepared_statement_column_logical_type")]
    public static partial nint StatementColumnType(nint statement, ulong column);

    [LibraryImport(Library, EntryPoint = "duckdb_execute_prepared_streaming")]
    public static partial State ExecuteStreaming(nint statement, out Result result);

    [LibraryImport(Library, EntryPoint = "duckdb_result_error")]
    public static partial byte* ResultError(ref Result result);

    [LibraryImport(Library, EntryPoint = "duckdb_destroy_result")]
    public static partial void DestroyResult(ref Result result);

    [LibraryImport(Library, EntryPoint = "duckdb_fetch_chunk")]
    public static partial nint FetchChunk(Result result);

    [LibraryImport(Library, EntryPoint = "duckdb_destroy_data_chunk")]
    public static partial void DestroyChunk(ref nint chunk);

    [LibraryImport(Library, EntryPoint = "duckdb_data_chunk_get_size")]
    public static partial ulong ChunkSize(nint chunk);

    [LibraryImport(Library, EntryPoint = "duckdb_data_chunk_set_size")]
    public static partial void SetChunkSize(nint chunk, ulong rows);

    [LibraryImport(Library, EntryPoint = "duckdb_data_chunk_get_vector")]
    public static partial nint ChunkVector(nint chunk, ulong column);

    [LibraryImport(Library, EntryPoint = "duckdb_vector_get_data")]
    public static partial void* VectorData(nint vector);

    [LibraryImport(Library, EntryPoint = "duckdb_vector_get_validity")]
    public static partial ulong* VectorValidity(nint vector);

    [LibraryImport(Library, EntryPoint = "duckdb_vector_assign_string_element_len")]
    public static partial void AssignString(nint vector, ulong row, byte* bytes, ulong length);

    [LibraryImport(Library, EntryPoint = "duckdb_list_vector_get_child")]
    public static partial nint ListChild(nint vector);

    [LibraryImport(Library, EntryPoint = "duckdb_list_vector_get_size")]
    public static partial ulong ListSize(nint vector);

    [LibraryImport(Library, EntryPoint = "duckdb_list_vector_reserve")]
    public static partial State ListReserve(nint vector, ulong capacity);

    [LibraryImport(Library, EntryPoint = "duckdb_list_vector_set_size")]
    public static partial State ListSetSize(nint vector, ulong size);

    [LibraryImport(Library, EntryPoint = "duckdb_create_logical_type")]
    public static partial nint CreateType(TypeId type);

    [LibraryImport(Library, EntryPoint = "duckdb_create_list_type")]
    public static partial nint CreateListType(nint element);

    [LibraryImport(Library, EntryPoint = "duckdb_destroy_logical_type")]
    public static partial void DestroyType(ref nint type);

    [LibraryImport(Library, EntryPoint = "duckdb_get_type_id")]
    public static partial TypeId GetTypeId(nint type);

    [LibraryImport(Library, EntryPoint = "duckdb_list_type_child_type")]
    public static partial nint ListElementType(nint type);

    [LibraryImport(Library, EntryPoint = "duckdb_struct_type_child_count")]
    public static partial ulong StructFieldCount(nint type);

    [LibraryImport(Library, EntryPoint = "duckdb_struct_type_child_name")]
    public static partial byte* StructFieldName(nint type, ulong field);

    [LibraryImport(Library, EntryPoint = "duckdb_struct_type_child_type")]
    public static partial nint StructFieldType(nint type, ulong field);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? search)
    {
        if (name != Library)
            return 0;
        var beside = Path.Combine(AppContext.BaseDirectory, "libduckdb.so");
        if (NativeLibrary.TryLoad(beside, out var handle) || NativeLibrary.TryLoad("libduckdb.so", assembly, search, out handle))
            return handle;
        throw new DllNotFoundException($"libduckdb.so, which reads and writes Parquet, is not usable at {beside}; build again with make");
    }
}
