using System.Globalization;
using System.Text.Json;

namespace TransferPipeline.Datasets;

/// <summary>
/// The form of the webdataset library: members of one sample share their name up to the first dot of the file's name (000001.jpg and
/// 000001.cls, or 000001.json with the label under a key).
/// </summary>
internal static class WebDataset
{
    private const int MostLabelBytes = 1 << 20;

    private static readonly string[] LabelKeys =
    [
        "label",
        "cls",
        "class",
        "class_name",
        "category",
        "target",
        "breed",
        "species",
        "labels",
    ];
    private static readonly string[] NameLists = ["classes.txt", "classnames.txt", "class_names.txt", "labels.txt"];

    /// <summary>Whether the archives hold photos with labels beside them; class folders with notes in JSON are class folders.</summary>
    public static bool Is(IReadOnlyList<TarArchive> archives) =>
        archives.Any(archive =>
        {
            var photos = archive
                .Index.Members.Where(m => PhotoFiles.IsPhoto(m.Name))
                .Select(m => Key(m.Name).Sample)
                .ToHashSet(StringComparer.Ordinal);
            var folders = archive
                .Index.Members.Where(m => PhotoFiles.IsPhoto(m.Name))
                .Select(m => FolderOf(m.Name))
                .Distinct()
                .Take(2)
                .Count();
            // Class folders may have notes in JSON or text beside the photos; only with one folder are these labels.
            return archive.Index.Members.Exists(m =>
                Key(m.Name) is var (sample, part) && (part == "cls" || (part is "json" or "txt" && folders < 2)) && photos.Contains(sample)
            );
        });

    /// <summary>The photos with their labels, in the order of shards and members.</summary>
    /// <param name="prefixes">What stands before the members' names of each archive, so that all names differ.</param>
    public static (Arranged Photos, List<(TarArchive Archive, TarMember Member)> Members) Arrange(
        DatasetOptions options,
        IReadOnlyList<TarArchive> archives,
        IReadOnlyList<string> prefixes,
        ProblemList problems
    )
    {
        var members = new List<(TarArchive, TarMember)>();
        var entries = new List<PhotoEntry>();
        for (var a = 0; a < archives.Count; a++)
        {
            var (archive, split) = (
                archives[a],
                SplitNames.OfFile(prefixes.Count > 1 ? prefixes[a].TrimEnd('/') : Path.GetFileName(archives[a].File))
            );
            var labels = archive
                .Index.Members.Where(m => Key(m.Name).Part is "cls" or "json")
                .ToLookup(m => Key(m.Name).Sample, StringComparer.Ordinal);
            // Per archive, since the same key in another shard is another sample.
            var taken = new HashSet<string>(StringComparer.Ordinal);
            foreach (var member in archive.Index.Members.Where(m => PhotoFiles.IsPhoto(m.Name)))
            {
                var (sample, part) = Key(member.Name);
                var name = prefixes[a] + member.Name;
                // Masks and other pictures of a sample have names such as 0001.seg.png.
                if (part.Contains('.', StringComparison.Ordinal) || !taken.Add(sample))
                    problems.Add(name, "ignored: a second picture of its sample");
                else if (LabelOf(options, archive, labels[sample]) is { } label)
                {
                    NoteOther(options, archive, name, label, labels[sample], problems);
                    entries.Add(new PhotoEntry(name, label, split));
                    members.Add((archive, member));
                }
                else
                {
                    problems.Add(name, "left out: no .cls or .json beside it holds its label");
                }
            }
        }

        if (entries.Count == 0)
        {
            throw new BadInputException(
                $"{options.Path} has photos in the form of webdataset but no labels; expected 000001.cls beside 000001.jpg, or "
                    + $"000001.json with a key {string.Join(", ", LabelKeys)} (or name the key as the label column)"
            );
        }

        Name(options, archives, entries, problems);
        return (Arranged.From(options.Path, [.. entries.Select((entry, i) => (entry, i))], options, problems), members);
    }

    private static string? LabelOf(DatasetOptions options, TarArchive archive, IEnumerable<TarMember> members)
    {
        // A .cls file comes first, unless the user names a key, which JSON alone has.
        foreach (
            var member in members.OrderBy(m =>
                m.Name.EndsWith(".cls", StringComparison.OrdinalIgnoreCase) == (options.LabelColumn is null) ? 0 : 1
            )
        )
        {
            var text = archive.Text(member, MostLabelBytes);
            var label =
                Key(member.Name).Part == "json"
                    ? FromJson($"{archive.File}, member {member.Name}", text, options.LabelColumn)
                    : text.Trim();
            if (!string.IsNullOrEmpty(label))
                return label.Contains('\n', StringComparison.Ordinal)
                    ? throw new BadInputException($"{archive.File}, member {member.Name}: several lines, expected one label")
                    : label;
        }

        return null;
    }

    /// <summary>Notes a .json beside a .cls with another label; what else stands in it are notes, which need not be whole.</summary>
    private static void NoteOther(
        DatasetOptions options,
        TarArchive archive,
        string photo,
        string label,
        IEnumerable<TarMember> members,
        ProblemList problems
    )
    {
        if (options.LabelColumn is not null || members.ToList() is not [_, _, ..] all)
            return;
        foreach (var member in all.Where(m => Key(m.Name).Part == "json" && m.Bytes <= MostLabelBytes))
        {
            string? other;
            try
            {
                other = FromJson(member.Name, archive.Text(member, MostLabelBytes), LabelKeys[0]);
            }
            catch (BadInputException)
            {
                continue;
            }

            // A number may stand beside its name: 3 in .cls and "dog" in .json say the same.
            if (other is { Length: > 0 } && other != label && IsNumber(other) == IsNumber(label))
                problems.Add(
                    photo,
                    "its .cls and .json hold different labels; that of .cls is taken, the option for the label column takes the other",
                    $" ({label}, {other})"
                );
        }

        static bool IsNumber(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);
    }

    private static string? FromJson(string name, string text, string? key) =>
        JsonLabels.Read(
            name,
            text,
            "an object with a label",
            root =>
                root.ValueKind == JsonValueKind.Object ? JsonLabels.Of(name, root, key is null ? LabelKeys : [key])
                : root.ValueKind is JsonValueKind.Number or JsonValueKind.String ? root.ToString()
                : null
        );

    /// <summary>Puts names for numbers where a list of names lies beside the archives.</summary>
    private static void Name(DatasetOptions options, IReadOnlyList<TarArchive> archives, List<PhotoEntry> entries, ProblemList problems)
    {
        // Without a sign: a negative number is no index into the list of names.
        if (!entries.TrueForAll(e => int.TryParse(e.Label, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
            return;
        var lists = NameListsOf(options, archives);
        if (lists.Count == 0)
        {
            problems.Add(
                Path.GetFileName(options.Path),
                $"its labels are numbers and there is no {NameLists[0]} beside it: classes are called by their numbers"
            );
            return;
        }

        var (file, full) = lists[0];
        FileBytes.RequireSome(full, "one name per line, the first for label 0");
        var names = TextFile.Names(full);
        if (names.Length != names.Distinct().Count())
            throw new BadInputException(
                $"{full} has the name '{names.GroupBy(n => n).First(g => g.Count() > 1).Key}' twice; expected another name for each "
                    + $"class, one per line"
            );
        for (var i = 0; i < entries.Count; i++)
        {
            var number = int.Parse(entries[i].Label, CultureInfo.InvariantCulture);
            entries[i] =
                number < names.Length
                    ? entries[i] with
                    {
                        Label = names[number],
                    }
                    : throw new BadInputException($"{entries[i].Path} has label {number}, but {full} has {names.Length} names");
        }

        problems.Add(file, "class names are taken from it, the first for label 0");
        var taken = File.ReadAllBytes(full);
        foreach (var (other, path) in lists.Skip(1))
        {
            // Of another length it differs, and need not be opened: a pipe or device might wait for ever.
            if (FileBytes.Length(path) != taken.Length || !File.ReadAllBytes(path).AsSpan().SequenceEqual(taken))
                problems.Add(other, "not used, and it differs from the list that the class names are taken from", $" ({file})");
        }
    }

    /// <summary>
    /// The lists of names in the folder of the dataset and in those of its archives, the one to use first: one in the folder is for all.
    /// </summary>
    private static List<(string Name, string Full)> NameListsOf(DatasetOptions options, IReadOnlyList<TarArchive> archives)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.Path));
        var root = Directory.Exists(full) ? full : Path.GetDirectoryName(full)!;
        return
        [
            .. archives
                .Select(archive => Path.GetDirectoryName(Path.GetFullPath(archive.File))!)
                .Prepend(root)
                .Distinct()
                .SelectMany(folder => NameLists.Select(list => Path.Combine(folder, list)))
                .Where(File.Exists)
                .Select(list => (Path.GetRelativePath(root, list).Replace('\\', '/'), list)),
        ];
    }

    private static string FolderOf(string name) => name[..(name.LastIndexOf('/') + 1)];

    /// <summary>A member's sample and what it is of it, in lower case: photos/01.seg.png is seg.png of photos/01.</summary>
    private static (string Sample, string Part) Key(string name)
    {
        var dot = name.IndexOf('.', name.LastIndexOf('/') + 1);
        return dot < 0 ? (name, "") : (name[..dot], name[(dot + 1)..].ToLowerInvariant());
    }
}
