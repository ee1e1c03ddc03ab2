using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;
using TransferPipeline.Features;

namespace TransferPipeline.Tuning;

/// <summary>
/// Parts of a feature set whose vectors are long, as activations at a cut are: float16 values in one piece, which training reads by memory
/// map, with the other columns behind them. Everything else of the set (recipe, resuming, durable commits) is as of any other.
/// </summary>
internal sealed class ActivationTable(IFeatureTable parquet) : IFeatureTable
{
    /// <summary>Of the values: a multiple of any vector register's length.</summary>
    public const int HeaderBytes = 64;

    private const int Block = 1 << 16;

    /// <summary>"TPACTIV1", read as little-endian.</summary>
    private const ulong Magic = 0x3156495443415054;

    public string Name => "float16";

    public string PartExtension => FeatureSet.ActivationExtension;

    public void Write(string file, IReadOnlyList<FeatureRow> rows, FeatureMatrix vectors)
    {
        using var stream = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        Span<byte> header = stackalloc byte[HeaderBytes];
        // Unused bytes are part of the part's SHA-256, so they have to be the same in every run.
        header.Clear();
        MemoryMarshal.Write(header, Magic);
        MemoryMarshal.Write(header[8..], rows.Count);
        MemoryMarshal.Write(header[12..], vectors.Columns);
        stream.Write(header);
        var half = new Half[Block];
        for (var r = 0; r < rows.Count; r++)
        {
            var row = vectors.Row(r);
            for (var start = 0; start < row.Length; start += Block)
            {
                var values = row.Slice(start, Math.Min(Block, row.Length - start));
                var to = half.AsSpan(0, values.Length);
                TensorPrimitives.ConvertToHalf(values, to);
                // Beyond 65,504 float16 has infinity alone, and training would begin with NaN.
                if (TensorPrimitives.MaxMagnitude<float>(values) > (float)Half.MaxValue)
                    throw new JobFailedException(
                        $"{rows[r].Path}: a value at the cut is larger than float16 holds ({Half.MaxValue}); choose another "
                            + $"cut, or --views 0"
                    );
                stream.Write(MemoryMarshal.AsBytes(to));
            }
        }

        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        foreach (var row in rows)
            Write(writer, row);
    }

    public void WriteFailed(string file, IReadOnlyList<FailedRow> rows) => parquet.WriteFailed(file, rows);

    public List<FailedRow> ReadFailed(string file) => parquet.ReadFailed(file);

    public (long Rows, long Values)? Shape(string file)
    {
        using var stream = Open(file, out var rows, out var columns);
        return (rows, (long)rows * columns);
    }

    public List<FeatureRow> ReadRows(string file)
    {
        using var stream = Open(file, out var count, out var columns);
        // Rows lie behind the values, which begin at a fixed place: a map needs no table of contents.
        stream.Position = HeaderBytes + (long)count * columns * 2;
        using var reader = new BinaryReader(stream, Encoding.UTF8);
        var rows = new List<FeatureRow>(count);
        try
        {
            for (var i = 0; i < count; i++)
                rows.Add(ReadRow(reader));
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or IOException)
        {
            // A damaged length of a string gives a FormatException, or reads on to the end of the file.
            throw Damaged(file, e);
        }

        return rows;
    }

    public List<(string Label, string Split)> ReadLabels(string file) => ReadRows(file).ConvertAll(r => (r.Label, r.Split));

    public int ReadVectors(string file, FeatureMatrix destination, int firstRow)
    {
        using var stream = Open(file, out var count, out var columns);
        RequireColumns(file, columns, destination.Columns);
        var half = new Half[columns];
        try
        {
            for (var i = 0; i < count; i++)
            {
                stream.ReadExactly(MemoryMarshal.AsBytes(half.AsSpan()));
                TensorPrimitives.ConvertToSingle(half, destination.Row(firstRow + i));
            }
        }
        catch (EndOfStreamException e)
        {
            throw Damaged(file, e);
        }

        return count;
    }

    public int ReadBlocks(string file, FeatureMatrix block, int filled, Action full)
    {
        using var stream = Open(file, out var count, out var columns);
        RequireColumns(file, columns, block.Columns);
        var half = new Half[columns];
        // A block may begin with rows of the part before: filled goes on from there.
        for (var i = 0; i < count; i++)
        {
            stream.ReadExactly(MemoryMarshal.AsBytes(half.AsSpan()));
            TensorPrimitives.ConvertToSingle(half, block.Row(filled));
            if (++filled == block.Rows)
            {
                full();
                filled = 0;
            }
        }

        return filled;
    }

    /// <summary>
    /// Checks a part before it is mapped, against the numbers of its set: a map that is read beyond the end of its file ends the process.
    /// </summary>
    /// <exception cref="BadInputException">It is damaged, or holds other rows or vectors.</exception>
    public static void RequireShape(string file, int rows, int columns)
    {
        using var stream = Open(file, out var foundRows, out var foundColumns);
        RequireColumns(file, foundColumns, columns);
        if (foundRows != rows)
            throw new BadInputException($"{file} holds {foundRows} vectors, expected {rows}: delete its folder and run again");
    }

    private static void RequireColumns(string file, int found, int expected)
    {
        if (found != expected)
            throw new BadInputException($"{file} holds vectors of {found} values, expected {expected}: delete its folder and run again");
    }

    /// <summary>Opens a part; the stream stands at its values.</summary>
    /// <exception cref="BadInputException">It is no such part, or ends early.</exception>
    private static FileStream Open(string file, out int rows, out int columns)
    {
        var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        try
        {
            Span<byte> header = stackalloc byte[HeaderBytes];
            stream.ReadExactly(header);
            (rows, columns) = (MemoryMarshal.Read<int>(header[8..]), MemoryMarshal.Read<int>(header[12..]));
            if (
                MemoryMarshal.Read<ulong>(header) != Magic
                || rows < 0
                || columns < 1
                // Divided, since the product of two damaged numbers may pass what a long holds.
                || (stream.Length - HeaderBytes) / 2 / columns < rows
            )
                throw Damaged(file, null);
            return stream;
        }
        catch (EndOfStreamException e)
        {
            stream.Dispose();
            throw Damaged(file, e);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    private static BadInputException Damaged(string file, Exception? e) =>
        new($"{file} is damaged or no part of cached activations: delete its folder and run again", e);

    private static void Write(BinaryWriter writer, FeatureRow row)
    {
        writer.Write(row.Path);
        writer.Write(row.Label);
        writer.Write(row.Split);
        writer.Write(row.View);
        writer.Write(row.ImageSha256);
        writer.Write(row.Bytes);
        writer.Write(row.Mtime);
        writer.Write(row.Width);
        writer.Write(row.Height);
    }

    private static FeatureRow ReadRow(BinaryReader reader) =>
        new(
            reader.ReadString(),
            reader.ReadString(),
            reader.ReadString(),
            reader.ReadInt32(),
            reader.ReadString(),
            reader.ReadInt64(),
            reader.ReadInt64(),
            reader.ReadInt32(),
            reader.ReadInt32()
        );
}
