using System.Text;
using TransferPipeline.Datasets;

namespace TransferPipeline.DuckDb;

/// <summary>Photos out of Hugging Face's Parquet files: a range of rows at a time, other row groups and pages are passed over.</summary>
public sealed partial class DuckDbTable
{
    public ParquetDescription Describe(string file) => Read(file, connection =>
    {
        using var all = connection.Prepare($"SELECT * {From(file)}");
        var metadata = new Dictionary<string, string>();
        ForEach(connection, $"SELECT key, value FROM parquet_kv_metadata('{Literal(file)}')", chunk =>
        {
            for (var i = 0; i < chunk.Rows; i++)
                metadata[chunk.Text(0, i)] = Encoding.UTF8.GetString(chunk.Bytes(1, i));
        });
        var rows = 0L;
        ForEach(connection, $"SELECT num_rows::BIGINT FROM parquet_file_metadata('{Literal(file)}')", chunk => rows += chunk.Longs(0)[0]);
        return new ParquetDescription(all.LeafColumns(), metadata, rows);
    });

    public List<PhotoTableRow> ReadIndex(string file, string imageColumn, string? labelColumn) => Read(file, connection =>
    {
        var image = Quoted(imageColumn);
        var label = labelColumn is null ? "NULL" : Quoted(labelColumn);
        var rows = new List<PhotoTableRow>();
        var sql = $"SELECT coalesce(octet_length({image}.bytes), 0)::BIGINT, {image}.path, ({label})::VARCHAR {From(file)}";
        ForEach(connection, sql, chunk =>
        {
            var bytes = chunk.Longs(0);
            for (var i = 0; i < chunk.Rows; i++)
                rows.Add(new PhotoTableRow(bytes[i], chunk.IsNull(1, i) ? null : chunk.Text(1, i), chunk.IsNull(2, i) ? null : chunk.Text(2, i)));
        });
        return rows;
    });

    public byte[][] ReadPhotos(string file, string imageColumn, int firstRow, int count) => Read(file, connection =>
    {
        var photos = new List<byte[]>(count);
        var sql = $"SELECT {Quoted(imageColumn)}.bytes FROM read_parquet('{Literal(file)}', hive_partitioning = false, file_row_number = true) "
            + $"WHERE file_row_number BETWEEN {firstRow} AND {(long)firstRow + count - 1}";
        ForEach(connection, sql, chunk =>
        {
            for (var i = 0; i < chunk.Rows; i++)
                photos.Add(chunk.IsNull(0, i) ? [] : chunk.Bytes(0, i).ToArray());
        });
        return photos.ToArray();
    });

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"")}\"";

    private static void ForEach(Connection connection, string sql, Action<ChunkReader> chunk)
    {
        using var statement = connection.Prepare(sql);
        using var reader = statement.Execute();
        while (reader.Next())
            chunk(reader);
    }
}
