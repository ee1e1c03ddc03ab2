using System.Globalization;
using ParquetSharp;
using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetSharp;

/// <summary>One Parquet file opened for reading.</summary>
internal sealed class ParquetFile : IParquetReader
{
    /// <summary>Bytes of a column that are read at once: a row group of another program may be larger than memory.</summary>
    private const int BufferBytes = 1 << 20;

    private readonly string _file;
    private readonly ParquetFileReader _reader;
    private readonly IReadOnlyList<Leaf> _leaves;

    private ParquetFile(string file, ParquetFileReader reader)
    {
        (_file, _reader) = (file, reader);
        _leaves = ColumnTree.Of(reader.FileMetaData.Schema);
        var columns = _leaves.Select(leaf => (leaf.Name, leaf.Type)).ToList();
        Description = new ParquetDescription(columns, reader.FileMetaData.KeyValueMetadata, reader.FileMetaData.NumRows);
        Groups = reader.FileMetaData.NumRowGroups;
    }

    public ParquetDescription Description { get; }

    public int Groups { get; }

    public static ParquetFile Open(string file) =>
        ArrowErrors.Explain(
            file,
            () =>
            {
                using var properties = ReaderProperties.GetDefaultReaderProperties();
                properties.EnableBufferedStream();
                properties.BufferSize = BufferBytes;
                var reader = new ParquetFileReader(file, properties);
                try
                {
                    return new ParquetFile(file, reader);
                }
                catch
                {
                    reader.Dispose();
                    throw;
                }
            }
        );

    public int Rows(int group) => Read(group, reader => ParquetErrors.RequireRows(_file, group, reader.MetaData.NumRows));

    public long Values(int group, string column) =>
        Read(
            group,
            reader =>
            {
                using var chunk = reader.MetaData.GetColumnChunkMetaData(LeafOf(column).Index);
                return chunk.NumValues;
            }
        );

    public string?[] Texts(int group, string column) => All<ByteArray, string>(group, LeafOf(column), Text);

    public int?[] Int32s(int group, string column) => All<int, int?>(group, LeafOf(column), value => value);

    public long?[] Int64s(int group, string column) => All<long, long?>(group, LeafOf(column), value => value);

    public string?[] Labels(int group, string column)
    {
        var leaf = LeafOf(column);
        return leaf.Type switch
        {
            ColumnType.Boolean => All<bool, string>(group, leaf, value => value ? "true" : "false"),
            ColumnType.Int8 or ColumnType.Int16 or ColumnType.Int32 => All<int, string>(group, leaf, Written),
            // Parquet has no unsigned physical types: the bits of a signed integer are taken as they are.
            ColumnType.UInt8 or ColumnType.UInt16 or ColumnType.UInt32 => All<int, string>(group, leaf, value => Written((uint)value)),
            ColumnType.Int64 => All<long, string>(group, leaf, Written),
            ColumnType.UInt64 => All<long, string>(group, leaf, value => Written((ulong)value)),
            ColumnType.Float32 => All<float, string>(group, leaf, Written),
            ColumnType.Float64 => All<double, string>(group, leaf, Written),
            _ => All<ByteArray, string>(group, leaf, Text),
        };
    }

    public void Binaries(int group, string column, int first, int count, BinaryAction action) =>
        Read(
            group,
            reader =>
            {
                ColumnValues.Each<ByteArray>(
                    _file,
                    reader,
                    LeafOf(column),
                    first,
                    count,
                    (row, present, value) => action(row, present ? Bytes(value) : [])
                );
                return true;
            }
        );

    public IVectorReader Vectors(int group, string column, int width, long fileRow) =>
        ArrowErrors.Explain(
            _file,
            () =>
            {
                var leaf = LeafOf(column);
                return VectorReader.Open(_file, _reader.RowGroup(group), leaf, width, fileRow);
            }
        );

    public void Dispose() => _reader.Dispose();

    private static string Written<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    private static string Text(ByteArray value) => System.Text.Encoding.UTF8.GetString(Bytes(value));

    // The bytes lie in the column's buffers and are gone after the next batch.
    private static unsafe ReadOnlySpan<byte> Bytes(ByteArray value) => new((void*)value.Pointer, value.Length);

    private TResult?[] All<TValue, TResult>(int group, Leaf leaf, Func<TValue, TResult?> convert)
        where TValue : unmanaged
    {
        var rows = Rows(group);
        return Read(group, reader => ColumnValues.All(_file, reader, leaf, rows, convert));
    }

    private T Read<T>(int group, Func<RowGroupReader, T> read) =>
        ArrowErrors.Explain(
            _file,
            () =>
            {
                using var reader = _reader.RowGroup(group);
                return read(reader);
            }
        );

    private Leaf LeafOf(string column) =>
        // Leaf is a struct: without the cast a missing name would give an empty leaf and not null.
        _leaves.Where(leaf => leaf.Name == column).Cast<Leaf?>().FirstOrDefault()
        ?? throw ParquetErrors.MissingColumn(_file, Description, column);
}
