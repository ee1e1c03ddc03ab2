namespace TransferPipeline;

/// <summary>One outside library that can do a job, chosen by name at run time.</summary>
/// <typeparam name="T">What the library is used as, for example a decoder of photos.</typeparam>
internal sealed class Adapter<T>
    where T : class
{
    private readonly Lazy<T> _instance;
    private readonly Lazy<string?> _problem;
    private readonly Lazy<string> _version;

    /// <param name="name">Lower-case name for the command line and pipelines.</param>
    /// <param name="create">Makes the instance, and loads its native library if it has one; called at most once.</param>
    /// <param name="version">Library and version, for people.</param>
    /// <param name="problem">The reason in one line when the library cannot be used on this machine, else null; checked at most
    /// once.</param>
    public Adapter(string name, Func<T> create, Func<string> version, Func<string?>? problem = null)
    {
        Name = name;
        // Lazy, so that a registry can list adapters whose native libraries are missing or slow to load.
        _instance = new(create);
        _version = new(version);
        _problem = new(problem ?? (() => null));
    }

    /// <summary>Lower-case name for the command line and pipelines.</summary>
    public string Name { get; }

    /// <summary>Library and version, for people.</summary>
    public string Version => _version.Value;

    /// <summary>Why the library cannot be used on this machine, in one line; null when it can.</summary>
    public string? Problem => _problem.Value;

    // The reason is checked first: without it the user would see the loader's exception of the native library.
    /// <summary>The one instance; the first call may load a native library.</summary>
    /// <exception cref="UsageException">The library cannot be used on this machine.</exception>
    public T Instance => Problem is { } problem ? throw new UsageException($"'{Name}' is not available: {problem}") : _instance.Value;
}
