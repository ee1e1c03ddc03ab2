namespace TransferPipeline;

/// <summary>The libraries that can do one job, the preferred one first.</summary>
/// <param name="role">What they do, for messages, for example <c>decoder</c>.</param>
internal sealed class AdapterRegistry<T>(string role, IReadOnlyList<Adapter<T>> adapters)
    where T : class
{
    /// <summary>What the adapters do, for messages.</summary>
    public string Role => role;

    /// <summary>All of them, usable or not, the preferred one first.</summary>
    public IReadOnlyList<Adapter<T>> Adapters => adapters;

    /// <summary>The same with one more adapter before the others; one of its name is replaced.</summary>
    public AdapterRegistry<T> With(Adapter<T> adapter) => new(role, [adapter, .. adapters.Where(a => a.Name != adapter.Name)]);

    /// <summary>The adapter of that name; for null the first one that can be used on this machine.</summary>
    /// <exception cref="UsageException">There is none of that name, or none can be used; the message lists the names or the
    /// reasons.</exception>
    public Adapter<T> Find(string? name = null)
    {
        if (name is null)
        {
            // Each Problem may load a native library, so the search ends at the first adapter that works.
            return adapters.FirstOrDefault(a => a.Problem is null)
                ?? throw new UsageException($"no {role} can be used: {string.Join("; ", adapters.Select(a => $"{a.Name}: {a.Problem}"))}");
        }

        // An adapter that was named is returned even where it cannot be used: its Instance then states the reason.
        return adapters.FirstOrDefault(a => a.Name == name)
            ?? throw new UsageException(
                $"there is no {role} '{name}'{NearestName.Hint(name, adapters.Select(a => a.Name))} (known: "
                    + $"{string.Join(", ", adapters.Select(a => a.Name))})"
            );
    }
}
