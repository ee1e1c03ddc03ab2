using TransferPipeline.Datasets;

namespace TransferPipeline.Classifiers;

/// <summary>Photos named on a command line: files as they are, folders with all photos below them, and <c>-</c> for names from elsewhere.</summary>
public static class PhotoFileList
{
    /// <exception cref="BadInputException">A path does not exist, or a folder holds no photo.</exception>
    /// <param name="names">A name a line, read where a path is <c>-</c>; a file that is not there is found out when it is read.</param>
    public static IReadOnlyList<string> Of(IEnumerable<string> paths, TextReader? names = null)
    {
        var files = new List<string>();
        foreach (var path in paths)
        {
            if (path == "-" && names is not null)
            {
                while (names.ReadLine() is { } name)
                {
                    if (name.Length > 0)
                        files.Add(name);
                }

                continue;
            }

            if (File.Exists(path))
            {
                files.Add(path);
                continue;
            }

            if (!Directory.Exists(path))
                throw new BadInputException($"{path}: no such file or folder; expected photos");
            var found = PhotoFiles.Walk(path).Files.Where(f => PhotoFiles.IsPhoto(f.Path) && !PhotoFiles.IsOfSystem(Path.GetFileName(f.Path))).Select(f => Path.Combine(path, f.Path)).Order(StringComparer.Ordinal).ToList();
            if (found.Count == 0)
                throw new BadInputException($"{path}: holds no photo");
            files.AddRange(found);
        }

        return files;
    }
}
