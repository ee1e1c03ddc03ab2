using System.Runtime.InteropServices;
using TransferPipeline.Features;
using static TransferPipeline.DuckDb.RowSource;

namespace TransferPipeline.DuckDb;

/// <summary>Writing parts: one thread, rows in the given order, nothing of time or machine in the file.</summary>
public sealed partial class DuckDbTable
{
    /// <summary>A row group is the unit that a reader holds in memory: about this many bytes of vectors.</summary>
    private const long RowGroupBytes = 16 << 20;

    /// <summary>Float features hardly compress: snappy saves 2 % and zstd 11 %, and zstd halves the speed of reading.</summary>
    private const string Compression = "uncompressed";

    public void Write(string file, IReadOnlyList<FeatureRow> rows, FeatureMatrix vectors)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vectors.Rows, rows.Count);
        var chunks = Math.Clamp(RowGroupBytes / (sizeof(float) * (long)vectors.Columns * NativeMethods.ChunkRows), 1, 60);
        Copy(file, rows.Count, (int)chunks * NativeMethods.ChunkRows,
        [
            Text("path", rows, r => r.Path),
            Text("label", rows, r => r.Label),
            Text("split", rows, r => r.Split),
            Int("view", rows, r => r.View),
            Text("image_sha256", rows, r => r.ImageSha256),
            Long("bytes", rows, r => r.Bytes),
            Long("mtime", rows, r => r.Mtime),
            Int("width", rows, r => r.Width),
            Int("height", rows, r => r.Height),
            Floats("vector", vectors),
        ]);
    }

    public void WriteFailed(string file, IReadOnlyList<FailedRow> rows) => Copy(file, rows.Count, NativeMethods.ChunkRows,
    [
        Text("path", rows, r => r.Path),
        Text("label", rows, r => r.Label),
        Text("split", rows, r => r.Split),
        Text("image_sha256", rows, r => r.ImageSha256),
        Long("bytes", rows, r => r.Bytes),
        Long("mtime", rows, r => r.Mtime),
        Text("reason", rows, r => r.Reason),
    ]);

    private void Copy(string file, int rows, int rowGroupRows, IReadOnlyList<SourceColumn> columns)
    {
        var key = GCHandle.Alloc(new RowSource(rows, columns));
        try
        {
            using var connection = Connect();
            connection.Execute(
                $"COPY (FROM {FunctionName}({GCHandle.ToIntPtr(key)})) TO '{Path.GetFullPath(file).Replace("'", "''")}' "
                + $"(FORMAT parquet, COMPRESSION {Compression}, ROW_GROUP_SIZE {rowGroupRows}, USE_TMP_FILE false)");
        }
        catch (DuckDbException e)
        {
            Forget(e);
            throw new JobFailedException($"{file} cannot be written ({OneLine(e)})", e);
        }
        finally
        {
            key.Free();
        }
    }
}
