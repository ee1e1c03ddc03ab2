using System.IO.Enumeration;

namespace TransferPipeline.Datasets;

/// <summary>
/// What a folder holds, counted without listing class folders to their end. Nothing depends on the order in which the file system lists
/// files, which differs between machines.
/// </summary>
internal sealed class FolderContent
{
    /// <summary>After so many photos a folder below the top is one of photos.</summary>
    private const int MostPhotos = 100;

    /// <summary>Folders that are searched inside one folder: configurations and splits are few, classes may be many.</summary>
    private const int MostFolders = 100;

    private readonly List<string> _folders = [];
    private readonly Lazy<List<FolderContent>> _inside;
    private readonly string _name;
    private int _photos;
    private int _parquet;
    private int _tars;

    private FolderContent(string path, bool isTop)
    {
        _name = Path.GetFileName(path);
        _inside = new(() => [.. _folders.Select(folder => new FolderContent(folder, isTop: false))]);
        // A name that is not UTF-8 comes as U+FFFD and leads nowhere.
        if (Directory.Exists(path))
            Count(path, isTop);
        // The first folders that are searched are the same ones on all machines.
        _folders.Sort(StringComparer.Ordinal);
    }

    /// <summary>
    /// Whether Parquet files lie in the folder or up to two folders below it (default/train/0000.parquet). Below the top those in a folder
    /// with more photos than Parquet files are strays in a class folder.
    /// </summary>
    public bool HasParquet => (_parquet > 0 && _photos < MostPhotos) || _inside.Value.Exists(folder => folder.HoldsParquet(depth: 1));

    /// <summary>
    /// Whether tar files lie in the folder or in the folders in it, and not more photos beside them: an archive of photos beside their
    /// class folders is a copy of them, and a picture beside many tar files is not a class.
    /// </summary>
    public bool HasTars =>
        _tars + _inside.Value.Sum(folder => folder._tars) is > 0 and var tars
        && _photos + _inside.Value.Sum(folder => folder._photos) <= tars
        && !_inside.Value.Exists(folder => folder._tars == 0 && folder._folders.Count > 0);

    /// <summary>Whether photos lie where class folders have none: at the top, in split folders or all in one folder.</summary>
    public bool HasPhotosOutsideClassFolders =>
        _photos > 0
        || _inside.Value.Exists(folder => (_folders.Count == 1 || SplitNames.Canonical(folder._name) is not null) && folder._photos > 0);

    public static FolderContent Of(string path) => new(path, isTop: true);

    /// <summary>A folder of photos is a class folder: what lies below it is not searched.</summary>
    private bool HoldsParquet(int depth) =>
        _photos <= _parquet
        && (_parquet > 0 || (depth > 0 && _inside.Value.Take(MostFolders).Any(folder => folder.HoldsParquet(depth - 1))));

    private void Count(string path, bool isTop)
    {
        var (isFeatureSet, parts) = (false, 0);
        // The default skips hidden entries; here LeftBehind alone decides. What
        // cannot be read is reported by the reader that opens it.
        var entries = new FileSystemEnumerable<(string Name, bool IsFolder)>(
            path,
            (ref FileSystemEntry entry) => (entry.FileName.ToString(), entry.IsDirectory),
            new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = true }
        );
        foreach (var (name, isFolder) in entries)
        {
            if (isFolder && !LeftBehind.IsFolder(name))
                _folders.Add(Path.Combine(path, name));
            if (isFolder || PhotoFiles.IsOfSystem(name))
                continue;
            isFeatureSet |= name == SetsAmongPhotos.Manifest && !isTop;
            parts += ParquetFiles.IsParquet(name) && SetsAmongPhotos.IsPart(name) ? 1 : 0;
            _parquet += ParquetFiles.IsParquet(name) ? 1 : 0;
            _tars += TarDataset.IsTar(name) ? 1 : 0;
            _photos += PhotoFiles.IsPhoto(name) ? 1 : 0;
            // The top is listed to its end, for the folders in it. Elsewhere what came before so many photos does not count.
            if (isTop || _photos < MostPhotos)
                continue;
            (_parquet, _tars) = (0, 0);
            _folders.Clear();
            break;
        }

        // Vectors that were written among the photos are no photos in Parquet.
        if (isFeatureSet && parts == _parquet)
            _parquet = 0;
    }
}
