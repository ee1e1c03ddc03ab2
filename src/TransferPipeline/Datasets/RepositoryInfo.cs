using System.Globalization;
using System.Text.Json;
using YamlDotNet.RepresentationModel;

namespace TransferPipeline.Datasets;

/// <summary>
/// What a Hugging Face repository states about its dataset beside the Parquet files: <c>dataset_info</c> in the header of README.md,
/// dataset_infos.json of earlier versions of the library, and dataset_info.json, which it writes into its cache.
/// </summary>
/// <param name="File">The file that states it, as messages call it.</param>
internal sealed record RepositoryInfo(string File, YamlNode Info)
{
    private const int LongestFile = 16 << 20;

    private static readonly string[] JsonFiles = ["dataset_infos.json", "dataset_info.json"];

    /// <param name="path">The folder of the dataset, or a file of it.</param>
    /// <param name="files">The Parquet files, whose folders may have the names of configurations.</param>
    /// <param name="problems">Receives a file that cannot be read.</param>
    public static RepositoryInfo? Of(string path, IReadOnlyList<ParquetFile> files, ProblemList problems)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var folder = Directory.Exists(full) ? full : Path.GetDirectoryName(full)!;
        // push_to_hub writes the files into the folder data.
        string[] folders = Path.GetFileName(folder) == "data" ? [folder, Path.GetDirectoryName(folder)!] : [folder];
        var configurations = files.SelectMany(file => file.Name.Split('/')[..^1]).Append(Path.GetFileName(folder)).ToHashSet();
        // What is wrong with the header in the dataset's folder is noted where splits are read from it.
        return folders
            .SelectMany(place => Infos(place, configurations, place == full ? new ProblemList() : problems, problems))
            .FirstOrDefault();
    }

    /// <summary>The names of a column's classes by their numbers; null where none or not all are stated.</summary>
    public IReadOnlyList<string>? NamesOf(string column)
    {
        // README.md has a list of features, JSON a map of them.
        var names = YamlText.Value(Info, "features") is YamlSequenceNode features
            ? YamlText.Value(
                features.FirstOrDefault(feature => YamlText.Text(YamlText.Value(feature, "name")) == column),
                "dtype",
                "class_label",
                "names"
            )
            : YamlText.Value(Info, "features", column, "names");
        if (names is YamlSequenceNode list)
            return [.. list.Select(name => YamlText.Text(name) ?? "")];
        if (names is not YamlMappingNode map)
            return null;
        var byNumber = Enumerable
            .Range(0, map.Children.Count)
            .Select(number => YamlText.Text(YamlText.Value(map, number.ToString(CultureInfo.InvariantCulture))))
            .OfType<string>()
            .ToList();
        return byNumber.Count == map.Children.Count ? byNumber : null;
    }

    /// <summary>Notes splits with fewer rows than are stated, or more: a file is missing, or one is of another version.</summary>
    /// <param name="rows">Rows of the files by split.</param>
    public void NoteRows(IReadOnlyDictionary<string, long> rows, ProblemList problems)
    {
        var splits = YamlText.Value(Info, "splits") is YamlMappingNode map
            ? map.Children.Select(child => (Name: YamlText.Text(child.Key), Split: child.Value))
            : YamlText
                .Items(YamlText.Value(Info, "splits"))
                .Select(split => (Name: YamlText.Text(YamlText.Value(split, "name")), Split: split));
        var stated = splits
            .Select(s => (Split: SplitNames.Canonical(s.Name ?? ""), Rows: YamlText.Text(YamlText.Value(s.Split, "num_examples"))))
            .Where(s => s.Split is not null)
            .ToList();
        foreach (var (split, text) in stated)
        {
            if (
                long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var expected)
                && stated.Count(s => s.Split == split) == 1
                && rows.GetValueOrDefault(split!) is var found
                && found != expected
            )
                problems.Add(
                    File,
                    $"it states {expected:N0} rows in split {split}, and the files have {found:N0}"
                        + (found < expected ? ": a file may be missing" : ": a file may be of another version")
                );
        }
    }

    private static IEnumerable<RepositoryInfo> Infos(
        string folder,
        HashSet<string> configurations,
        ProblemList ofHeader,
        ProblemList problems
    )
    {
        var readme = YamlText.Items(YamlText.Value(RepositoryReadme.Header(folder, ofHeader), "dataset_info")).ToList();
        var stated = readme.Select(info => (RepositoryReadme.FileName, Name: YamlText.Text(YamlText.Value(info, "config_name")), info));
        foreach (var name in JsonFiles)
        {
            if (Json(Path.Combine(folder, name), problems) is not YamlMappingNode root)
                continue;
            stated = stated.Concat(
                YamlText.Value(root, "features") is not null
                    ? [(name, null, root)]
                    : root.Children.Select(child => (name, YamlText.Text(child.Key), child.Value))
            );
        }

        // Of several configurations the one that is read.
        return stated
            .GroupBy(s => s.FileName)
            .SelectMany(file =>
                file.Count() == 1 ? file.AsEnumerable() : file.Where(s => s.Name is not null && configurations.Contains(s.Name))
            )
            .Select(s => new RepositoryInfo(s.FileName, s.info));
    }

    /// <summary>The content of a JSON file in the nodes of YAML, of which JSON is a part.</summary>
    private static YamlNode? Json(string file, ProblemList problems)
    {
        // A pipe has no length; reading it could wait for ever.
        if (!System.IO.File.Exists(file) || FileBytes.Length(file) is 0 or > LongestFile)
            return null;
        try
        {
            using var document = JsonDocument.Parse(InputFile.Json(file));
            return Node(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            problems.Add(Path.GetFileName(file), "not read: it is not JSON", $" ({e.Message})");
            return null;
        }
    }

    private static YamlNode Node(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => new YamlMappingNode(
                // Of a key that occurs twice the last value counts, as in Python.
                element
                    .EnumerateObject()
                    .GroupBy(m => m.Name)
                    .Select(m => KeyValuePair.Create(new YamlScalarNode(m.Key) as YamlNode, Node(m.Last().Value)))
            ),
            JsonValueKind.Array => new YamlSequenceNode(element.EnumerateArray().Select(Node)),
            _ => new YamlScalarNode(element.ToString()),
        };
}
