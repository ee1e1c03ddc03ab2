using System.Runtime.InteropServices;
using static TransferPipeline.DuckDb.NativeMethods;

namespace TransferPipeline.DuckDb;

/// <summary>A prepared statement: its columns are known before it runs.</summary>
internal sealed unsafe class Statement : IDisposable
{
    private nint _handle;

    public Statement(nint connection, string sql)
    {
        if (NativeMethods.Prepare(connection, sql, out _handle) == State.Success)
            return;
        var error = Marshal.PtrToStringUTF8((nint)PrepareError(_handle)) ?? "unknown error";
        DestroyPrepare(ref _handle);
        throw new DuckDbException(error);
    }

    /// <summary>Result columns with their types as text: VARCHAR, FLOAT[], STRUCT(bytes BLOB, path VARCHAR).</summary>
    public List<(string Name, string Type)> Columns() => [.. Walk((name, type) => [(name, TypeText.Of(type))])];

    /// <summary>As <see cref="Columns"/>, but a struct's fields in its place, as <c>image.bytes</c>.</summary>
    public List<(string Name, string Type)> LeafColumns() => [.. Walk((name, type) =>
        GetTypeId(type) == TypeId.Struct ? TypeText.Fields(type).Select(field => ($"{name}.{field.Name}", field.Type)) : [(name, TypeText.Of(type))])];

    /// <summary>Starts the statement; rows are made as the reader asks for them.</summary>
    public ChunkReader Execute()
    {
        if (ExecuteStreaming(_handle, out var result) == State.Success)
            return new ChunkReader(result);
        var error = Marshal.PtrToStringUTF8((nint)ResultError(ref result)) ?? "unknown error";
        DestroyResult(ref result);
        throw new DuckDbException(error);
    }

    public void Dispose()
    {
        if (_handle != 0)
            DestroyPrepare(ref _handle);
    }

    private List<(string Name, string Type)> Walk(Func<string, nint, IEnumerable<(string Name, string Type)>> describe)
    {
        var columns = new List<(string, string)>();
        for (ulong i = 0; i < StatementColumnCount(_handle); i++)
        {
            var name = StatementColumnName(_handle, i);
            var type = StatementColumnType(_handle, i);
            columns.AddRange(describe(Marshal.PtrToStringUTF8((nint)name) ?? "", type));
            Free(name);
            DestroyType(ref type);
        }

        return columns;
    }
}

/// <summary>DuckDB's types in SQL's words.</summary>
internal static unsafe class TypeText
{
    /// <summary>The type of a column, e.g. <c>FLOAT[]</c>; nested ones recursively.</summary>
    public static string Of(nint type) => GetTypeId(type) switch
    {
        TypeId.List => Child(ListElementType(type)) + "[]",
        TypeId.Struct => $"STRUCT({string.Join(", ", Fields(type).Select(f => $"{f.Name} {f.Type}"))})",
        TypeId.Varchar => "VARCHAR",
        TypeId.BigInt => "BIGINT",
        var id => id.ToString().ToUpperInvariant(),
    };

    /// <summary>Fields of a struct type.</summary>
    public static List<(string Name, string Type)> Fields(nint type)
    {
        var fields = new List<(string, string)>();
        for (ulong i = 0; i < StructFieldCount(type); i++)
        {
            var name = StructFieldName(type, i);
            fields.Add((Marshal.PtrToStringUTF8((nint)name) ?? "", Child(StructFieldType(type, i))));
            Free(name);
        }

        return fields;
    }

    private static string Child(nint type)
    {
        var text = Of(type);
        DestroyType(ref type);
        return text;
    }
}
