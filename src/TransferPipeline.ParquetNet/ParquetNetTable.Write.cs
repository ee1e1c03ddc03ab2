using Parquet;
using Parquet.Schema;
using TransferPipeline.Features;

namespace TransferPipeline.ParquetNet;

/// <summary>Writing parts: rows in the given order, nothing of time or machine in the file.</summary>
public sealed partial class ParquetNetTable
{
    /// <summary>A row group is the unit that a reader holds in memory: about this many bytes of vectors.</summary>
    private const long RowGroupBytes = 16 << 20;

    /// <summary>Rows of a group without vectors, and the most of one with short vectors.</summary>
    private const int MostRows = 122_880;

    public void Write(string file, IReadOnlyList<FeatureRow> rows, FeatureMatrix vectors)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vectors.Rows, rows.Count);
        var groupRows = (int)Math.Clamp(RowGroupBytes / (sizeof(float) * (long)vectors.Columns), 1, MostRows);
        WriteFile(file, [.. RowFields, VectorField()], rows.Count, groupRows, (start, count) =>
        [
            Texts(rows, start, count, r => r.Path),
            Texts(rows, start, count, r => r.Label),
            Texts(rows, start, count, r => r.Split),
            Values(rows, start, count, r => r.View),
            Texts(rows, start, count, r => r.ImageSha256),
            Values(rows, start, count, r => r.Bytes),
            Values(rows, start, count, r => r.Mtime),
            Values(rows, start, count, r => r.Width),
            Values(rows, start, count, r => r.Height),
            (group, field) => VectorColumn(group, field, vectors, start, count),
        ]);
    }

    public void WriteFailed(string file, IReadOnlyList<FailedRow> rows) => WriteFile(file, FailedFields, rows.Count, MostRows, (start, count) =>
    [
        Texts(rows, start, count, r => r.Path),
        Texts(rows, start, count, r => r.Label),
        Texts(rows, start, count, r => r.Split),
        Texts(rows, start, count, r => r.ImageSha256),
        Values(rows, start, count, r => r.Bytes),
        Values(rows, start, count, r => r.Mtime),
        Texts(rows, start, count, r => r.Reason),
    ]);

    /// <param name="columns">The columns of <c>count</c> rows from <c>start</c>, in the fields' order.</param>
    private static void WriteFile(
        string file, IReadOnlyList<Field> fields, int rows, int groupRows, Func<int, int, IReadOnlyList<ColumnWriter>> columns)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
            WriteStream(stream, new ParquetSchema(fields.Select(Fresh)), rows, groupRows, columns).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException($"{file} cannot be written ({e.Message.Split('\n', 2)[0].Trim()})", e);
        }
    }

    private static async Task WriteStream(
        Stream stream, ParquetSchema schema, int rows, int groupRows, Func<int, int, IReadOnlyList<ColumnWriter>> columns)
    {
        // Float features hardly compress, and decompression would halve the speed of reading.
        await using var writer = await ParquetWriter.CreateAsync(schema, stream, new ParquetOptions { CompressionMethod = CompressionMethod.None });
        for (var start = 0; start < rows; start += groupRows)
        {
            using var group = writer.CreateRowGroup();
            foreach (var (field, column) in schema.DataFields.Zip(columns(start, Math.Min(groupRows, rows - start))))
                await column(group, field);
        }
    }

    /// <summary>A schema takes its fields for itself, so each file gets copies.</summary>
    private static Field Fresh(Field field) => field is DataField data ? new DataField(data.Name, data.ClrType, data.IsNullable) : field;

    private delegate Task ColumnWriter(ParquetRowGroupWriter group, DataField field);

    private static ColumnWriter Texts<TRow>(IReadOnlyList<TRow> rows, int start, int count, Func<TRow, string> value) =>
        Values(rows, start, count, row => value(row).AsMemory());

    private static ColumnWriter Values<TRow, T>(IReadOnlyList<TRow> rows, int start, int count, Func<TRow, T> value)
        where T : struct => (group, field) =>
    {
        var values = new T[count];
        for (var i = 0; i < count; i++)
            values[i] = value(rows[start + i]);
        return group.WriteAsync<T>(field, values);
    };

    private static Task VectorColumn(ParquetRowGroupWriter group, DataField field, FeatureMatrix vectors, int start, int count)
    {
        var columns = vectors.Columns;
        var length = count * columns;
        var (levels, repetitions) = (new int[length], new int[length]);
        Array.Fill(levels, field.MaxDefinitionLevel);
        Array.Fill(repetitions, field.MaxRepetitionLevel);
        for (var i = 0; i < count; i++)
            repetitions[i * columns] = 0;
        return group.WriteAllPartsAsync<float>(field, vectors.Data.AsMemory(start * columns, length), levels, repetitions, default);
    }
}
