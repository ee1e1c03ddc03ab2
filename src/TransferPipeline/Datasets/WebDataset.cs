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

    private static readonly string[] Keys =
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
        "label_name",
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
                Key(m.Name) is var (sample, part) && (IsClass(part) || (part is "json" or "txt" && folders < 2)) && photos.Contains(sample)
            );
        });

    /// <summary>The photos with their labels, in the order of shards and members.</summary>
    /// <param name="prefixes">What stands before the members' names of each archive, so that all names differ.</param>
    public static (OrderedPhotos Photos, List<(TarArchive Archive, TarMember Member)> Members) Arrange(
        DatasetOptions options,
        IReadOnlyList<TarArchive> archives,
        IReadOnlyList<string> prefixes,
        ProblemList problems
    )
    {
        var members = new List<(TarArchive, TarMember)>();
        var entries = new List<PhotoEntry>();
        var (spaced, keys, unused) = (new SpacedLabels(problems), new LabelKeys(Path.GetFileName(options.Path)), new UnusedSplits());
        var hasOwnSplits = false;
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
            var photos = archive.Index.Members.Where(m => PhotoFiles.IsPhoto(m.Name)).ToList();
            var samples = photos.ToLookup(m => Key(m.Name).Sample, StringComparer.Ordinal);
            foreach (var member in photos)
            {
                var (sample, part) = Key(member.Name);
                var name = prefixes[a] + member.Name;
                var isDotted = part.Contains('.', StringComparison.Ordinal);
                // Masks and other pictures of a sample have names such as 0001.seg.png.
                if (isDotted && samples[sample].All(other => Key(other.Name).Part.Contains('.', StringComparison.Ordinal)))
                    problems.Add(name, "ignored: its name has several dots; the name of a sample ends at the first one");
                else if (isDotted || !taken.Add(sample))
                    problems.Add(name, "ignored: a second picture of its sample");
                else if (LabelOf(options, archive, labels[sample], spaced, keys) is { } label)
                {
                    NoteOther(options, archive, name, label, labels[sample], problems);
                    if (member.Bytes == 0)
                        problems.Add(name, PhotoFiles.Empty);
                    if (split.Length == 0 && members.Count < UnusedSplits.ProbedLines)
                        AddKeys(archive, labels[sample], [.. Keys, options.LabelColumn ?? ""], unused);
                    var own = SplitOf(archive, labels[sample], options.SplitColumn ?? "split");
                    hasOwnSplits |= own is not null;
                    // A key that the user names comes first, as one of labels does.
                    var isNamed = split.Length > 0 && options.SplitColumn is null;
                    if (isNamed && own is not null && own != split)
                        problems.Add(
                            name,
                            "its .json gives another split than the name of its archive, which is taken",
                            $" ({own}, {split})"
                        );
                    entries.Add(new PhotoEntry(name, label, isNamed ? split : own ?? ""));
                    members.Add((archive, member));
                }
                else
                {
                    problems.Add(name, "left out: no .cls or .json beside it holds its label");
                }
            }

            NoteWithoutPhoto(archive, prefixes[a], labels, samples, problems);
        }

        if (entries.Count == 0)
            throw new BadInputException(NoLabels(options, archives));
        if (options.SplitColumn is { } key && !hasOwnSplits)
            throw new UsageException($"{options.Path}: no .json has a key '{key}' with a split (expected train, validation or test)");
        if (entries.Find(e => e.Split.Length == 0) is { } without && entries.Find(e => e.Split.Length > 0) is { } with)
            throw new BadInputException(
                $"{options.Path}: the .json of {with.Path} gives its split and that of {without.Path} does not; expected a split in all or "
                    + "in none"
            );
        keys.Note(problems);
        if (unused.Found is { } found && entries.TrueForAll(e => e.Split.Length == 0))
            problems.Add(
                Path.GetFileName(options.Path),
                $"key '{found}' of its .json files may give the split of each photo and is not used; splits come from the beginning of the "
                    + "archives' names (train-000000.tar)"
            );
        Name(options, archives, entries, problems);
        return (OrderedPhotos.From(options.Path, [.. entries.Select((entry, i) => (entry, i))], options, problems), members);
    }

    private static string NoLabels(DatasetOptions options, IReadOnlyList<TarArchive> archives)
    {
        var photos = archives.SelectMany(archive => archive.Index.Members).Where(m => PhotoFiles.IsPhoto(m.Name)).ToList();
        return photos.TrueForAll(m => Key(m.Name).Part.Contains('.', StringComparison.Ordinal))
            ? $"{options.Path} has no photo called after its sample alone (the first is '{photos[0].Name}'); expected 000001.jpg and "
                + $"000001.cls: the name of a sample ends at the first dot"
            : $"{options.Path} has photos in the form of webdataset but no labels; expected 000001.cls beside 000001.jpg, or "
                + $"000001.json with a key {string.Join(", ", Keys)} (or name the key as the label column)";
    }

    /// <summary>Notes labels whose sample has no photo: it is missing, or of a kind that is not read.</summary>
    private static void NoteWithoutPhoto(
        TarArchive archive,
        string prefix,
        ILookup<string, TarMember> labels,
        ILookup<string, TarMember> photos,
        ProblemList problems
    )
    {
        var alone = labels.Where(sample => !photos.Contains(sample.Key)).ToDictionary(sample => sample.Key, sample => sample.First());
        if (alone.Count == 0)
            return;
        var others = archive
            .Index.Members.Where(m => Key(m.Name) is var (sample, part) && part is not ("cls" or "json") && alone.ContainsKey(sample))
            .ToLookup(m => Key(m.Name).Sample, StringComparer.Ordinal);
        foreach (var (sample, label) in alone)
        {
            // A .json by itself describes the archive.
            if (Key(label.Name).Part == "cls" || others.Contains(sample))
                problems.Add(
                    prefix + label.Name,
                    $"left out: its sample has no photo ({PhotoFiles.ExtensionList})",
                    others.Contains(sample) ? $", but {others[sample].First().Name}" : ""
                );
        }
    }

    private static string? LabelOf(
        DatasetOptions options,
        TarArchive archive,
        IEnumerable<TarMember> members,
        SpacedLabels spaced,
        LabelKeys keys
    )
    {
        // A .cls file comes first, unless the user names a key, which JSON alone has.
        foreach (
            var member in members.OrderBy(m =>
                m.Name.EndsWith(".cls", StringComparison.OrdinalIgnoreCase) == (options.LabelColumn is null) ? 0 : 1
            )
        )
        {
            var text = archive.Text(member, MostLabelBytes);
            var where = $"{archive.File}, member {member.Name}";
            List<string> found = [".cls"];
            // The line's end is no part of the label.
            var written =
                Key(member.Name).Part == "json" ? FromJson(where, text, options.LabelColumn, out found) : text.TrimEnd('\r', '\n');
            var label = written?.Trim();
            if (string.IsNullOrEmpty(label))
                continue;
            if (label.Contains('\n', StringComparison.Ordinal))
                throw new BadInputException($"{where}: several lines, expected one label");
            spaced.Add(label, label.Length < written!.Length);
            keys.Add(found);
            return label;
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
                other = FromJson(member.Name, archive.Text(member, MostLabelBytes), Keys[0], out _);
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

    /// <summary>The split that a sample's .json gives, which need not be whole where a .cls holds the label; null for none.</summary>
    private static string? SplitOf(TarArchive archive, IEnumerable<TarMember> members, string key)
    {
        string? split = null;
        foreach (var member in members.Where(m => Key(m.Name).Part == "json" && m.Bytes <= MostLabelBytes))
        {
            try
            {
                using var document = JsonDocument.Parse(archive.Text(member, MostLabelBytes));
                if (
                    document.RootElement.ValueKind == JsonValueKind.Object
                    && document.RootElement.TryGetProperty(key, out var value)
                    && value.ValueKind == JsonValueKind.String
                )
                    split = SplitNames.Canonical(value.GetString()!.Trim());
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or BadInputException)
            {
                // Its label was read or came from .cls: what else stands in it are notes.
            }
        }

        return split;
    }

    /// <summary>Takes in the keys of a sample's .json, which need not be whole where a .cls holds the label.</summary>
    private static void AddKeys(TarArchive archive, IEnumerable<TarMember> members, string[] known, UnusedSplits unused)
    {
        foreach (var member in members.Where(m => Key(m.Name).Part == "json" && m.Bytes <= MostLabelBytes))
        {
            try
            {
                using var document = JsonDocument.Parse(archive.Text(member, MostLabelBytes));
                if (document.RootElement.ValueKind == JsonValueKind.Object)
                    unused.Add(document.RootElement, known);
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or BadInputException)
            {
                // Its label was read or came from .cls: what else stands in it are notes.
            }
        }
    }

    /// <param name="found">The keys that hold labels, that of the label first; empty where the text is the label itself.</param>
    private static string? FromJson(string name, string text, string? key, out List<string> found)
    {
        string[] wanted = key is null ? Keys : [key];
        (var label, found) = JsonLabels.Read(
            name,
            text,
            "an object with a label",
            root =>
                root.ValueKind == JsonValueKind.Object ? (JsonLabels.Of(name, root, wanted), JsonLabels.Found(root, wanted))
                : root.ValueKind is JsonValueKind.Number or JsonValueKind.String ? (root.ToString(), [])
                : (null, new List<string>())
        );
        return label;
    }

    /// <summary>Puts names for numbers where a list of names lies beside the archives.</summary>
    private static void Name(DatasetOptions options, IReadOnlyList<TarArchive> archives, List<PhotoEntry> entries, ProblemList problems)
    {
        // Without a sign: a negative number is no index into the list of names.
        var lists = NameListsOf(options, archives);
        if (entries.Find(e => !int.TryParse(e.Label, NumberStyles.None, CultureInfo.InvariantCulture, out _)) is { } text)
        {
            // Where all labels are names, a list of names is not needed.
            if (lists.Count > 0 && entries.Exists(e => int.TryParse(e.Label, CultureInfo.InvariantCulture, out _)))
                problems.Add(lists[0].Name, "not used: some labels are numbers and others are none", $" ('{text.Label}' of {text.Path})");
            AlikeNames.NoteMixture(entries.Select(e => e.Label), problems);
            return;
        }

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
                .Select(list => (Path.GetRelativePath(root, list).Replace(Path.DirectorySeparatorChar, '/'), list)),
        ];
    }

    /// <summary>Whether a member holds a label; behind further dots it shows that the names of samples have some.</summary>
    private static bool IsClass(string part) => part == "cls" || part.EndsWith(".cls", StringComparison.Ordinal);

    private static string FolderOf(string name) => name[..(name.LastIndexOf('/') + 1)];

    /// <summary>A member's sample and what it is of it, in lower case: photos/01.seg.png is seg.png of photos/01.</summary>
    private static (string Sample, string Part) Key(string name)
    {
        var dot = name.IndexOf('.', name.LastIndexOf('/') + 1);
        return dot < 0 ? (name, "") : (name[..dot], name[(dot + 1)..].ToLowerInvariant());
    }
}
