using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using static TransferPipeline.DuckDb.NativeMethods;

namespace TransferPipeline.DuckDb;

/// <summary>A column of rows that are to be written: a name, a type, and how a run of rows fills a vector.</summary>
internal sealed record SourceColumn(string Name, TypeId Type, Action<nint, int, int> Fill);

/// <summary>
/// Rows in our memory as a relation: <c>FROM transfer_rows(key)</c>, where the key is this object's handle. DuckDB pulls chunk by
/// chunk, so a part is written without a second copy of it in a table.
/// </summary>
internal sealed unsafe class RowSource(int rows, IReadOnlyList<SourceColumn> columns)
{
    public const string FunctionName = "transfer_rows";

    private int _next;

    /// <summary>Makes the function known to a database, once.</summary>
    public static void Register(nint connection)
    {
        var function = CreateTableFunction();
        var key = CreateType(TypeId.BigInt);
        TableFunctionSetName(function, FunctionName);
        TableFunctionAddParameter(function, key);
        TableFunctionSetBind(function, &Bind);
        TableFunctionSetInit(function, &Init);
        TableFunctionSetFunction(function, &Next);
        var state = RegisterTableFunction(connection, function);
        DestroyType(ref key);
        DestroyTableFunction(ref function);
        if (state != State.Success)
            throw new InvalidOperationException("DuckDB refused the table function " + FunctionName);
    }

    public static SourceColumn Text<T>(string name, IReadOnlyList<T> rows, Func<T, string> value) =>
        new(name, TypeId.Varchar, (vector, first, count) => FillText(vector, rows, value, first, count));

    public static SourceColumn Int<T>(string name, IReadOnlyList<T> rows, Func<T, int> value) => new(name, TypeId.Integer, (vector, first, count) =>
    {
        var data = (int*)VectorData(vector);
        for (var i = 0; i < count; i++)
            data[i] = value(rows[first + i]);
    });

    public static SourceColumn Long<T>(string name, IReadOnlyList<T> rows, Func<T, long> value) => new(name, TypeId.BigInt, (vector, first, count) =>
    {
        var data = (long*)VectorData(vector);
        for (var i = 0; i < count; i++)
            data[i] = value(rows[first + i]);
    });

    /// <summary>Rows of a matrix as a LIST of FLOAT: one copy a chunk, since both sides hold the values row-major.</summary>
    public static SourceColumn Floats(string name, Features.FeatureMatrix matrix) => new(name, TypeId.List, (vector, first, count) =>
    {
        var width = (ulong)matrix.Columns;
        var size = (ulong)count * width;
        if (ListReserve(vector, size) != State.Success || ListSetSize(vector, size) != State.Success)
            throw new OutOfMemoryException($"DuckDB has no room for {count} vectors of {width} values");
        var values = new Span<float>(VectorData(ListChild(vector)), checked((int)size));
        matrix.Data.AsSpan(first * matrix.Columns, values.Length).CopyTo(values);
        var entries = (ListEntry*)VectorData(vector);
        for (var i = 0; i < count; i++)
            entries[i] = new ListEntry { Offset = (ulong)i * width, Length = width };
    });

    private static void FillText<T>(nint vector, IReadOnlyList<T> rows, Func<T, string> value, int first, int count)
    {
        Span<byte> small = stackalloc byte[512];
        for (var i = 0; i < count; i++)
        {
            var text = value(rows[first + i]);
            var utf8 = text.Length * 3 <= small.Length ? small : new byte[text.Length * 3];
            var length = Encoding.UTF8.GetBytes(text, utf8);
            fixed (byte* bytes = utf8)
                AssignString(vector, (ulong)i, bytes, (ulong)length);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Bind(nint info)
    {
        try
        {
            var value = BindGetParameter(info, 0);
            var key = (nint)GetInt64(value);
            DestroyValue(ref value);
            foreach (var column in At(key).Columns)
            {
                var type = CreateType(column.Type == TypeId.List ? TypeId.Float : column.Type);
                if (column.Type == TypeId.List)
                {
                    var element = type;
                    type = CreateListType(element);
                    DestroyType(ref element);
                }

                BindAddColumn(info, column.Name, type);
                DestroyType(ref type);
            }

            BindSetData(info, key, 0);
        }
        catch (Exception e)
        {
            BindSetError(info, e.Message);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Init(nint info) => InitSetMaxThreads(info, 1);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Next(nint info, nint chunk)
    {
        try
        {
            At(FunctionGetBindData(info)).FillChunk(chunk);
        }
        catch (Exception e)
        {
            FunctionSetError(info, e.Message);
        }
    }

    private static RowSource At(nint key) => (RowSource)GCHandle.FromIntPtr(key).Target!;

    private IReadOnlyList<SourceColumn> Columns => columns;

    private void FillChunk(nint chunk)
    {
        var count = Math.Min(ChunkRows, rows - _next);
        for (var c = 0; count > 0 && c < columns.Count; c++)
            columns[c].Fill(ChunkVector(chunk, (ulong)c), _next, count);
        SetChunkSize(chunk, (ulong)count);
        _next += count;
    }
}
