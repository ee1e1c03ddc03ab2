using System.Globalization;

namespace TransferPipeline.Datasets;

/// <summary>
/// Files beside a dataset that may hold names for classes that are numbers: classes.txt, cat_to_name.json, label_map.pbtxt. Their forms
/// are many, so that they are named and not read.
/// </summary>
internal static class UnusedNames
{
    private static readonly HashSet<string> Extensions = new(
        [".txt", ".json", ".csv", ".tsv", ".pbtxt", ".yaml", ".yml", ".names", ".pkl", ".mat"],
        StringComparer.OrdinalIgnoreCase
    );

    private static readonly HashSet<string> Lists = new(
        ["classes", "classnames", "categories", "labelmap", "labels", "synset", "synsets", "names", "meta"],
        StringComparer.OrdinalIgnoreCase
    );

    private static readonly HashSet<string> Classes = new(["class", "cat", "category", "label"], StringComparer.OrdinalIgnoreCase);

    private static readonly HashSet<string> Keys = new(
        ["name", "names", "map", "mapping", "dict", "index", "indices", "idx", "id", "ids", "num", "to", "description", "descriptions"],
        StringComparer.OrdinalIgnoreCase
    );

    /// <param name="source">The dataset's folder or file.</param>
    public static void Note(string source, string[] classes, ProblemList problems)
    {
        if (
            classes.Length < 2
            || !Array.TrueForAll(classes, name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        )
            return;
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(source));
        var folder = Directory.Exists(full) ? full : Path.GetDirectoryName(full);
        if (!Directory.Exists(folder))
            return;
        // Of one split that is given, the names lie beside it.
        string?[] folders = SplitNames.Canonical(Path.GetFileName(folder)) is null ? [folder] : [folder, Path.GetDirectoryName(folder)];
        var files = folders
            .OfType<string>()
            .SelectMany(Directory.EnumerateFiles)
            .Where(file => file != full)
            .Select(file => Path.GetFileName(file))
            .Where(HoldsNames)
            .Order(StringComparer.Ordinal)
            .ToList();
        if (files.Count > 0)
            problems.Add(
                files[0],
                "it may hold the names of the classes and is not used: classes are called by their numbers, as in the data; for names put "
                    + "these in the place of the numbers"
            );
    }

    private static bool HoldsNames(string file)
    {
        if (!Extensions.Contains(Path.GetExtension(file)))
            return false;
        var words = NameWords.Of(Path.GetFileNameWithoutExtension(file)).ToList();
        // A table called labels holds those of photos.
        return words.Exists(word => Lists.Contains(word) && !(word == "labels" && DatasetReader.IsTable(file)))
            || (words.Exists(Classes.Contains) && words.Exists(Keys.Contains));
    }
}
