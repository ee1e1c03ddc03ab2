using TransferPipeline.Features;

namespace TransferPipeline.Tuning;

/// <summary>Activations of photos and their copies, computed once by an extraction.</summary>
internal sealed class CachedActivations : IActivationSource
{
    private readonly ActivationFiles _files;
    private readonly int[][] _rows;

    public CachedActivations(FeatureSet set)
    {
        Values = set.Dimension;
        // A photo's rows follow each other, the photo itself first.
        var rows = new List<List<int>>();
        var all = set.LoadRows();
        for (var i = 0; i < all.Count; i++)
        {
            if (all[i].View == 0)
                rows.Add([]);
            rows[^1].Add(i);
        }

        _rows = [.. rows.Select(r => r.ToArray())];
        _files = new(set);
    }

    public int Values { get; }

    // By the place too, so that one epoch has all kinds of copies and not one kind for all photos.
    public int CopyFor(int photo, int place, int epoch) => (epoch + place) % _rows[photo].Length;

    public void Read(IReadOnlyList<(int Photo, int Copy)> wanted, Span<float> to)
    {
        for (var i = 0; i < wanted.Count; i++)
            _files.Read(_rows[wanted[i].Photo][wanted[i].Copy], to.Slice(i * Values, Values));
    }

    public void Dispose() => _files.Dispose();
}
