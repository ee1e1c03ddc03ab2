using System.Collections.Concurrent;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>
/// Shapes and constants that nodes computed for a number of photos: they are the same in every run with that number, so that only the
/// first one computes them.
/// </summary>
internal sealed class HostMemory : IDisposable
{
    private readonly ConcurrentDictionary<int, HostArray?[]> _byPhotos = new();

    /// <summary>By the nodes' places in the plan; null before the first run.</summary>
    public HostArray?[]? Find(int photos) => _byPhotos.GetValueOrDefault(photos);

    // Shards of equal size may compute the same shapes at once; the first result stays.
    public void Add(int photos, HostArray?[] results) => _byPhotos.TryAdd(photos, results);

    public void Dispose()
    {
        foreach (var result in _byPhotos.Values.SelectMany(r => r))
            result?.Dispose();
    }
}
