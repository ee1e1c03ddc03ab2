namespace TransferPipeline.Datasets;

/// <summary>Folders by the folder that they lie in, and which of them hold photos.</summary>
internal sealed class FolderTree
{
    private readonly Dictionary<string, List<string>> _children = new(StringComparer.Ordinal);
    private readonly HashSet<string> _withPhotos = new(StringComparer.Ordinal);
    private readonly HashSet<string> _abovePhotos = new(StringComparer.Ordinal);

    public FolderTree(FoundFiles found)
    {
        foreach (var folder in found.Folders)
        {
            var slash = folder.LastIndexOf('/');
            var above = folder[..(slash + 1)];
            if (!_children.TryGetValue(above, out var names))
                _children[above] = names = [];
            names.Add(folder[(slash + 1)..]);
        }

        // The walk's order is the file system's, which differs between machines.
        foreach (var names in _children.Values)
            names.Sort(StringComparer.Ordinal);
        // A lookup by span: a string for each photo would be wasted, since most photos share their folder.
        var lookup = _withPhotos.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var file in found.Files)
        {
            var name = file.Path.AsSpan(file.Path.LastIndexOf('/') + 1);
            // An AppleDouble file (._photo.jpg) has a photo's extension and makes no class folder.
            if (PhotoFiles.IsPhoto(name) && !name.StartsWith("._"))
                lookup.Add(file.Path.AsSpan(0, Math.Max(0, file.Path.Length - name.Length - 1)));
        }

        foreach (var folder in _withPhotos)
        {
            for (var end = folder.Length; end > 0; end = folder.LastIndexOf('/', end - 1))
            {
                // Where a folder is known, so are all above it.
                if (!_abovePhotos.Add(folder[..end]))
                    break;
            }
        }
    }

    /// <summary>Names of the folders directly in one, in ordinal order.</summary>
    /// <param name="folder">With a slash at its end; empty for the root.</param>
    public List<string> Children(string folder) => _children.GetValueOrDefault(folder) ?? [];

    /// <summary>Whether photos lie directly in a folder; empty for the root.</summary>
    public bool HasPhotos(string folder) => _withPhotos.Contains(folder);

    public bool HasPhotosBelow(string folder) => _abovePhotos.Contains(folder);
}
