using System.Collections.Concurrent;

namespace TransferPipeline.Heads.Common;

/// <summary>What heads share while one comparison, or one part of it, lasts: a cache of each type that they use.</summary>
/// <param name="parent">The comparison's scope, of which this one serves a part; null when it is that scope itself.</param>
internal sealed class ComparisonScope(ComparisonScope? parent = null)
{
    // By type: a cache stays a private class beside the code that uses it, and the scope knows none of them.
    private readonly ConcurrentDictionary<Type, object> _caches = new();

    /// <summary>The scope of the whole comparison, for what its parts share.</summary>
    internal ComparisonScope Root => parent ?? this;

    /// <summary>This scope's cache of a type.</summary>
    internal T Cache<T>()
        where T : class, new() => (T)_caches.GetOrAdd(typeof(T), static _ => new T());
}

/// <summary>Values that are made once for each key, whatever the number of threads.</summary>
internal sealed class OnceCache<TKey, TValue>
    where TKey : notnull
{
    // ConcurrentDictionary may run a factory for several callers at once. Lazy runs it once and lets the others wait;
    // it keeps an exception too, so all heads on the same rows get the same message.
    private readonly ConcurrentDictionary<TKey, Lazy<TValue>> _entries = new();

    /// <summary>The value for the key, made by the first caller.</summary>
    public TValue Get(TKey key, Func<TValue> make) => _entries.GetOrAdd(key, _ => new Lazy<TValue>(make)).Value;
}
