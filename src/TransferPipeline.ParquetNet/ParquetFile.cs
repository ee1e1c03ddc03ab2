using System.Globalization;
using Parquet;
using Parquet.Schema;
using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetNet;

/// <param name="Values">One for each entry without a level, else the defined ones first.</param>
/// <param name="Levels">Definition level of each entry; null where all are defined.</param>
/// <param name="Starts">Repetition level of each entry; null outside lists.</param>
internal sealed record RawColumn<T>(T[] Values, int[]? Levels, int[]? Starts, int Defined)
    where T : struct
{
    public bool HasNulls => Levels is { } levels && levels.AsSpan().ContainsAnyExcept(Defined);
}

/// <summary>One Parquet file opened for reading.</summary>
internal sealed class ParquetFile : IParquetReader
{
    private readonly string _file;
    private readonly FileStream _stream;
    private readonly ParquetReader _reader;
    private readonly IReadOnlyList<Leaf> _leaves;

    private ParquetFile(string file, FileStream stream, ParquetReader reader)
    {
        (_file, _stream, _reader) = (file, stream, reader);
        _leaves = ColumnTree.Of(reader.Schema);
        var rows = Enumerable.Range(0, reader.RowGroupCount).Sum(group => (long)Rows(group));
        Description = new ParquetDescription([.. _leaves.Select(leaf => (leaf.Name, leaf.Type))], reader.CustomMetadata, rows);
    }

    public ParquetDescription Description { get; }

    public int Groups => _reader.RowGroupCount;

    public static ParquetFile Open(string file)
    {
        var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        try
        {
            return ParquetErrors.Explain(
                file,
                // Parquet.Net has asynchronous methods only, and IParquetReader none.
                () => new ParquetFile(file, stream, ParquetReader.CreateAsync(stream, leaveStreamOpen: true).GetAwaiter().GetResult())
            );
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public int Rows(int group)
    {
        using var reader = _reader.OpenRowGroupReader(group);
        return ParquetErrors.RequireRows(_file, group, reader.RowCount);
    }

    public long Values(int group, string column)
    {
        using var reader = _reader.OpenRowGroupReader(group);
        return reader.GetMetadata(FieldOf(column))?.MetaData?.NumValues ?? 0;
    }

    public string?[] Texts(int group, string column) =>
        Array.ConvertAll(Cells<ReadOnlyMemory<char>>(group, column), text => text is { } chars ? new string(chars.Span) : null);

    public int?[] Int32s(int group, string column) => Cells<int>(group, column);

    public long?[] Int64s(int group, string column) => Cells<long>(group, column);

    public string?[] Labels(int group, string column) =>
        LeafOf(column).Type switch
        {
            ColumnType.Boolean => Array.ConvertAll(
                Cells<bool>(group, column),
                value =>
                    value is { } yes
                        ? yes
                            ? "true"
                            : "false"
                        : null
            ),
            ColumnType.Int8 => Written<sbyte>(group, column),
            ColumnType.UInt8 => Written<byte>(group, column),
            ColumnType.Int16 => Written<short>(group, column),
            ColumnType.UInt16 => Written<ushort>(group, column),
            ColumnType.Int32 => Written<int>(group, column),
            ColumnType.UInt32 => Written<uint>(group, column),
            ColumnType.Int64 => Written<long>(group, column),
            ColumnType.UInt64 => Written<ulong>(group, column),
            ColumnType.Float32 => Written<float>(group, column),
            ColumnType.Float64 => Written<double>(group, column),
            ColumnType.Binary => Array.ConvertAll(
                Cells<ReadOnlyMemory<byte>>(group, column),
                value => value is { } bytes ? System.Text.Encoding.UTF8.GetString(bytes.Span) : null
            ),
            _ => Texts(group, column),
        };

    public void Binaries(int group, string column, int first, int count, BinaryAction action)
    {
        // Parquet.Net decodes the column of a row group as a whole; rows that were not requested are dropped.
        var cells = Cells<ReadOnlyMemory<byte>>(group, column);
        for (var row = first; row < first + count; row++)
            action(row, cells[row] is { } bytes ? bytes.Span : []);
    }

    public IVectorReader Vectors(int group, string column, int width, long fileRow) =>
        new VectorReader(_file, column, Read<float>(group, FieldOf(column)), Rows(group), width, fileRow);

    public void Dispose()
    {
        _reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _stream.Dispose();
    }

    private string?[] Written<T>(int group, string column)
        where T : struct, IFormattable =>
        Array.ConvertAll(Cells<T>(group, column), value => value?.ToString(null, CultureInfo.InvariantCulture));

    /// <summary>One value per row, null where there is none.</summary>
    private T?[] Cells<T>(int group, string column)
        where T : struct
    {
        var raw = Read<T>(group, FieldOf(column));
        var rows = Rows(group);
        // Repetition levels mean a list, which has more or fewer entries than rows.
        if (raw.Values.Length != rows || raw.Starts is not null)
            throw ParquetErrors.Damaged(_file, $"column '{column}' has {raw.Values.Length} values in a row group of {rows} rows");
        var cells = new T?[rows];
        for (int i = 0, next = 0; i < rows; i++)
            cells[i] = raw.Levels is { } levels && levels[i] != raw.Defined ? null : raw.Values[next++];
        return cells;
    }

    /// <summary>The defined values of a column of a row group, and where each belongs.</summary>
    private RawColumn<T> Read<T>(int group, DataField field)
        where T : struct =>
        ParquetErrors.Explain(
            _file,
            () =>
            {
                using var reader = _reader.OpenRowGroupReader(group);
                // NumValues counts missing values too, as the levels do. checked: a damaged count must not wrap.
                var count = checked((int)(reader.GetMetadata(field)?.MetaData?.NumValues ?? 0));
                var values = new T[count];
                var levels = field.MaxDefinitionLevel > 0 ? new int[count] : null;
                var starts = field.MaxRepetitionLevel > 0 ? new int[count] : null;
                reader.ReadRawAsync<T>(field, values, Memory(levels), Memory(starts)).AsTask().GetAwaiter().GetResult();
                return new RawColumn<T>(values, levels, starts, field.MaxDefinitionLevel);
            }
        );

    /// <summary>An array's own conversion would make an empty memory of none.</summary>
    private static Memory<int>? Memory(int[]? values) => values is null ? null : new(values);

    private Leaf LeafOf(string column) =>
        _leaves.Where(leaf => leaf.Name == column).Cast<Leaf?>().FirstOrDefault()
        ?? throw ParquetErrors.MissingColumn(_file, Description, column);

    private DataField FieldOf(string column) =>
        LeafOf(column).Field ?? throw ParquetErrors.Damaged(_file, $"column '{column}' is not one value per row");
}
