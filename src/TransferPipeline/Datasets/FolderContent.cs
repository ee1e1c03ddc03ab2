using System.IO.Enumeration;

namespace TransferPipeline.Datasets;

/// <summary>Finds out what a folder holds without listing class folders to their end.</summary>
internal static class FolderContent
{
    /// <summary>After so many photos a folder is one of photos.</summary>
    private const int MostPhotos = 100;

    /// <summary>Folders that are searched inside one folder: configurations and splits are few, classes may be many.</summary>
    private const int MostFolders = 100;

    /// <summary>Whether Parquet files lie in the folder or up to two folders below it (default/train/0000.parquet).</summary>
    public static bool HasParquet(string path) => Has(path, ParquetFiles.IsParquet, depth: 2);

    /// <summary>Whether tar files lie in the folder or in the folders in it, and no photos in folders beside them.</summary>
    public static bool HasTars(string path)
    {
        var (matches, isOfPhotos, folders) = Probe(path, TarDataset.IsTar);
        var inside = folders.Take(MostFolders).Select(folder => Probe(folder, TarDataset.IsTar)).ToList();
        return !isOfPhotos
            && !inside.Exists(i => i.IsOfPhotos || (!i.Matches && i.Folders.Count > 0))
            && (matches || inside.Exists(i => i.Matches));
    }

    /// <summary>Whether photos lie where class folders have none: at the top, in split folders or all in one folder.</summary>
    public static bool HasPhotosOutsideClassFolders(string path)
    {
        var (_, isOfPhotos, folders) = Probe(path, static _ => false);
        return isOfPhotos
            || folders.Exists(folder =>
                (folders.Count == 1 || SplitNames.Canonical(Path.GetFileName(folder)) is not null)
                && Probe(folder, static _ => false).IsOfPhotos
            );
    }

    private static bool Has(string path, Func<string, bool> wanted, int depth)
    {
        var (matches, isOfPhotos, folders) = Probe(path, wanted);
        // Below the top a folder of photos is a class folder: no Parquet files are looked for under it.
        return matches
            || (
                depth > 0
                && !(isOfPhotos && depth < 2)
                && folders.Take(depth == 2 ? int.MaxValue : MostFolders).Any(folder => Has(folder, wanted, depth - 1))
            );
    }

    /// <summary>Whether a wanted file is among a folder's first, whether photos are, and the folders among them.</summary>
    private static (bool Matches, bool IsOfPhotos, List<string> Folders) Probe(string path, Func<string, bool> wanted)
    {
        var (photos, folders) = (0, new List<string>());
        // A name that is not UTF-8 comes as U+FFFD and leads nowhere.
        if (!Directory.Exists(path))
            return (false, false, folders);
        // The default skips hidden entries; here LeftBehind alone decides. What
        // cannot be read is reported by the reader that opens it.
        var entries = new FileSystemEnumerable<(string Name, bool IsFolder)>(
            path,
            (ref FileSystemEntry entry) => (entry.FileName.ToString(), entry.IsDirectory),
            new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = true }
        );
        foreach (var (name, isFolder) in entries)
        {
            if (isFolder)
            {
                if (!LeftBehind.IsFolder(name))
                    folders.Add(Path.Combine(path, name));
            }
            else if (wanted(name))
            {
                return (true, photos > 0, folders);
            }
            else if (PhotoFiles.IsPhoto(name) && ++photos >= MostPhotos)
            {
                break;
            }
        }

        return (false, photos > 0, folders);
    }
}
