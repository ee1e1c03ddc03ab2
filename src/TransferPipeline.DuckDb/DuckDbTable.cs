using System.Runtime.InteropServices;
using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.DuckDb;

/// <summary>Feature sets and photo tables in Parquet by DuckDB's C API (libduckdb.so beside the program). Thread-safe.</summary>
public sealed partial class DuckDbTable : IFeatureTable, IPhotoTable
{
    private readonly Lock _gate = new();
    private Database? _database;

    public unsafe string Name => $"DuckDB {Marshal.PtrToStringUTF8((nint)NativeMethods.LibraryVersion())?.TrimStart('v')}";

    /// <summary>A table expression for a file: the path is taken literally (no pattern, no Hive partitions from folder names).</summary>
    private static string From(string file) => $"FROM read_parquet('{Literal(file)}', hive_partitioning = false)";

    /// <summary>An absolute path inside single quotes; characters that mean a pattern to DuckDB become one-letter classes.</summary>
    private static string Literal(string file)
    {
        var path = Path.GetFullPath(file).Replace("'", "''");
        return path.AsSpan().IndexOfAny("*?[") < 0
            ? path
            : string.Concat(path.Select(c => c switch { '*' => "[*]", '?' => "[?]", '[' => "[[]", _ => c.ToString() }));
    }

    private T Read<T>(string file, Func<Connection, T> read)
    {
        if (!File.Exists(file))
            throw new BadInputException(Directory.Exists(file) ? $"{file} is a folder, expected a Parquet file" : $"{file}: there is no such file");
        try
        {
            using var connection = Connect();
            return read(connection);
        }
        catch (DuckDbException e)
        {
            Forget(e);
            throw Explain(file, e);
        }
    }

    private static TransferException Explain(string file, DuckDbException e) =>
        e.Message.StartsWith("Out of Memory", StringComparison.Ordinal)
            ? new JobFailedException($"{file}: reading it needs more memory than there is ({OneLine(e)})", e)
            : new BadInputException($"{file} cannot be read as Parquet ({OneLine(e)}); it is damaged or incomplete, make it again", e);

    /// <summary>The first line of DuckDB's message, without its hints for people who write SQL.</summary>
    private static string OneLine(DuckDbException e) => e.Message.Split('\n', 2)[0].Trim();

    private Connection Connect()
    {
        lock (_gate)
            return (_database ??= Database.Open()).Connect();
    }

    /// <summary>A damaged file can make DuckDB give up its whole instance: the next call starts a new one.</summary>
    private void Forget(DuckDbException e)
    {
        if (!e.DatabaseIsLost)
            return;
        lock (_gate)
            _database = null;
    }
}
