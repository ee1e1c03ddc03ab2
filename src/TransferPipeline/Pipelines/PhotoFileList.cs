using TransferPipeline.Datasets;

namespace TransferPipeline.Pipelines;

/// <summary>Photos named on a command line: files as they are, folders with all photos below them.</summary>
public static class PhotoFileList
{
    /// <exception cref="BadInputException">A path does not exist, or a folder holds no photo.</exception>
    public static IReadOnlyList<string> Of(IEnumerable<string> paths)
    {
        var files = new List<string>();
        foreach (var path in paths)
        {
            if (File.Exists(path))
            {
                files.Add(path);
                continue;
            }

            if (!Directory.Exists(path))
                throw new BadInputException($"{path}: no such file or folder; expected photos");
            var found = Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(f => PhotoFiles.IsPhoto(f)).Order(StringComparer.Ordinal).ToList();
            if (found.Count == 0)
                throw new BadInputException($"{path}: holds no photo");
            files.AddRange(found);
        }

        return files;
    }
}
