using Parquet;
using Parquet.Schema;

namespace TransferPipeline.ParquetNet;

/// <param name="Values">One for each entry without a level, else the defined ones first.</param>
/// <param name="Levels">Definition level of each entry; null where all are defined.</param>
/// <param name="Starts">Repetition level of each entry; null outside lists.</param>
internal sealed record RawColumn<T>(T[] Values, int[]? Levels, int[]? Starts, int Defined)
    where T : struct
{
    public bool HasNulls => Levels is { } levels && levels.AsSpan().ContainsAnyExcept(Defined);
}

/// <summary>One Parquet file opened for reading; what Parquet.Net throws at bad bytes becomes one line that names the file.</summary>
internal sealed class ParquetFile : IDisposable
{
    private readonly FileStream _stream;
    private readonly ParquetReader _reader;

    private ParquetFile(string name, FileStream stream, ParquetReader reader)
    {
        (Name, _stream, _reader) = (name, stream, reader);
        (Schema, Metadata) = (reader.Schema, reader.CustomMetadata);
    }

    public string Name { get; }

    public ParquetSchema Schema { get; }

    public IReadOnlyDictionary<string, string> Metadata { get; }

    public int Groups => _reader.RowGroupCount;

    public static ParquetFile Open(string file)
    {
        if (!File.Exists(file))
            throw new BadInputException(Directory.Exists(file) ? $"{file} is a folder, expected a Parquet file" : $"{file}: there is no such file");
        FileStream stream;
        try
        {
            stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{file} cannot be opened ({FirstLine(e)})", e);
        }

        try
        {
            return Explain(file, () => new ParquetFile(file, stream, ParquetReader.CreateAsync(stream, leaveStreamOpen: true).GetAwaiter().GetResult()));
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Number of rows of a row group.</summary>
    public int Rows(int group)
    {
        using var reader = _reader.OpenRowGroupReader(group);
        return reader.RowCount is >= 0 and <= int.MaxValue ? (int)reader.RowCount : throw Bad($"row group {group} announces {reader.RowCount} rows");
    }

    /// <summary>The defined values of a column of a row group, and where each belongs.</summary>
    public RawColumn<T> Read<T>(int group, DataField field)
        where T : struct => Explain(Name, () =>
    {
        using var reader = _reader.OpenRowGroupReader(group);
        var count = checked((int)(reader.GetMetadata(field)?.MetaData?.NumValues ?? 0));
        var values = new T[count];
        var levels = field.MaxDefinitionLevel > 0 ? new int[count] : null;
        var starts = field.MaxRepetitionLevel > 0 ? new int[count] : null;
        reader.ReadRawAsync<T>(field, values, Memory(levels), Memory(starts)).AsTask().GetAwaiter().GetResult();
        return new RawColumn<T>(values, levels, starts, field.MaxDefinitionLevel);
    });

    /// <summary>An array's own conversion would make an empty memory of none.</summary>
    private static Memory<int>? Memory(int[]? values) => values is null ? null : new(values);

    /// <summary>The file breaks the format in a way that Parquet.Net does not notice.</summary>
    public BadInputException Bad(string what) => new($"{Name} cannot be read as Parquet ({what}); it is damaged or incomplete, make it again");

    public void Dispose()
    {
        _reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _stream.Dispose();
    }

    /// <summary>Damaged bytes surface in Parquet.Net as many kinds of exception, from its own to an index out of range.</summary>
    private static T Explain<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not TransferException)
        {
            throw new BadInputException($"{file} cannot be read as Parquet ({FirstLine(e)}); it is damaged or incomplete, make it again", e);
        }
    }

    private static string FirstLine(Exception e) => e.Message.Split('\n', 2)[0].Trim();
}
