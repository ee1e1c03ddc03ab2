using System.Runtime.InteropServices;
using static TransferPipeline.DuckDb.NativeMethods;

namespace TransferPipeline.DuckDb;

/// <summary>What DuckDB says when a statement fails; the adapter turns it into an error about the file.</summary>
internal sealed class DuckDbException(string message) : Exception(message)
{
    /// <summary>After such an error the database refuses all further work.</summary>
    public bool DatabaseIsLost => Message.StartsWith("INTERNAL", StringComparison.Ordinal) || Message.StartsWith("FATAL", StringComparison.Ordinal);
}

/// <summary>An in-memory database: the engine that the statements run in. Thread-safe; a connection is not.</summary>
internal sealed class Database : SafeHandle
{
    /// <summary>
    /// One thread, since the caller has its own and bytes must not depend on timing; no spilling, no downloads of extensions, and no
    /// cache of file contents, which would hold a large feature set in memory a second time.
    /// </summary>
    private static readonly (string Name, string Value)[] Settings =
    [
        ("threads", "1"),
        ("memory_limit", "2GB"),
        ("temp_directory", ""),
        ("preserve_insertion_order", "true"),
        ("autoinstall_known_extensions", "false"),
        ("autoload_known_extensions", "false"),
        ("enable_external_file_cache", "false"),
    ];

    private Database()
        : base(0, ownsHandle: true)
    {
    }

    public override bool IsInvalid => handle == 0;

    public static unsafe Database Open()
    {
        if (CreateConfig(out var config) != State.Success)
            throw new OutOfMemoryException("DuckDB cannot make a configuration");
        try
        {
            foreach (var (name, value) in Settings)
            {
                if (SetConfig(config, name, value) != State.Success)
                    throw new InvalidOperationException($"DuckDB does not know the setting {name} = '{value}'");
            }

            var database = new Database();
            if (OpenExt(null, out var opened, config, out var error) != State.Success)
            {
                var message = Marshal.PtrToStringUTF8((nint)error);
                Free(error);
                throw new DuckDbException(message ?? "cannot open an in-memory database");
            }

            database.SetHandle(opened);
            using var connection = database.Connect();
            connection.Run(connection => RowSource.Register(connection));
            return database;
        }
        finally
        {
            DestroyConfig(ref config);
        }
    }

    public Connection Connect()
    {
        if (NativeMethods.Connect(handle, out var connection) != State.Success)
            throw new DuckDbException("cannot connect to the in-memory database");
        return new Connection(this, connection);
    }

    protected override bool ReleaseHandle()
    {
        NativeMethods.Close(ref handle);
        return true;
    }
}

/// <summary>A connection, for one thread at a time.</summary>
internal sealed class Connection(Database database, nint handle) : IDisposable
{
    private nint _handle = handle;

    public void Run(Action<nint> action) => action(_handle);

    public Statement Prepare(string sql) => new(_handle, sql);

    /// <summary>Runs a statement that returns nothing of interest.</summary>
    public void Execute(string sql)
    {
        using var statement = Prepare(sql);
        using var reader = statement.Execute();
        while (reader.Next())
        {
        }
    }

    public void Dispose()
    {
        if (_handle == 0)
            return;
        Disconnect(ref _handle);
        GC.KeepAlive(database);
    }
}
