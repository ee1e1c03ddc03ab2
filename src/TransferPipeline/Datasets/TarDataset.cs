namespace TransferPipeline.Datasets;

/// <summary>Photos inside tar files: one of class folders, or one or more in the form of webdataset. An archive is indexed once.</summary>
internal sealed class TarDataset : Dataset
{
    /// <summary>Archives that stay open between reads.</summary>
    private const int MostOpen = 16;

    private readonly IReadOnlyList<TarArchive> _archives;
    private readonly OrderedPhotos _ordered;
    private readonly List<(TarArchive Archive, TarMember Member)> _members;

    private TarDataset(
        string source,
        IReadOnlyList<TarArchive> archives,
        OrderedPhotos ordered,
        List<(TarArchive, TarMember)> members,
        IReadOnlyList<DatasetProblem> problems
    ) => (Source, _archives, _ordered, _members, Problems) = (source, archives, ordered, members, problems);

    public override string Source { get; }

    public override IReadOnlyList<string> Classes => _ordered.Classes;

    public override IReadOnlyList<PhotoEntry> Entries => _ordered.Entries;

    public override IReadOnlyList<DatasetProblem> Problems { get; }

    public static TarDataset Open(DatasetOptions options)
    {
        var problems = new ProblemList();
        var archives = new List<TarArchive>();
        try
        {
            var names = Files(options.Path, problems);
            foreach (var name in names)
                archives.Add(
                    TarArchive.Open(name.Length == 0 ? options.Path : Path.Combine(options.Path, name), names.Count <= MostOpen, problems)
                );
            foreach (var archive in archives.Where(a => archives.Count > 1 && !a.Index.Members.Exists(m => PhotoFiles.IsPhoto(m.Name))))
                problems.Add(Path.GetRelativePath(options.Path, archive.File).Replace('\\', '/'), "the archive has no photos");
            string[] prefixes = [.. names.Select(name => name.Length == 0 ? "" : name + "/")];
            if (WebDataset.Is(archives))
            {
                var (photos, members) = WebDataset.Arrange(options, archives, prefixes, problems);
                var form = archives.Count == 1 ? "webdataset, one tar file" : $"webdataset, {archives.Count} tar files";
                return new TarDataset(options.Path, archives, photos, members, problems.ToList()) { Form = form };
            }

            if (archives.Count > 1)
            {
                throw new BadInputException(
                    $"{options.Path} holds {archives.Count} tar files that are not in the form of webdataset (000001.jpg with "
                        + $"000001.cls or 000001.json beside it); expected that form, one tar file of class folders, or the unpacked "
                        + $"folders"
                );
            }

            TableOptions.Require(options, DatasetKind.Tar, isWebDataset: false);
            var found = WithoutWrapper(archives[0].Index);
            var (ordered, folders) = ClassFolders.Arrange(options.Path, found, options, problems);
            return new TarDataset(
                options.Path,
                archives,
                ordered,
                archives[0].Index.Members.ConvertAll(m => (archives[0], m)),
                problems.ToList()
            )
            {
                Form = $"tar file of {folders}",
            };
        }
        catch
        {
            archives.ForEach(archive => archive.Dispose());
            throw;
        }
    }

    public static bool IsTar(string name) =>
        name.EndsWith(".tar", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase);

    private static string WithoutExtension(string name) =>
        name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^".tar.gz".Length] : name[..^".tar".Length];

    public override PhotoStamp Stamp(int index)
    {
        var (_, member) = _members[_ordered.Items[index]];
        return new PhotoStamp(member.Bytes, member.Mtime);
    }

    public override string? FileOf(int index) => _members[_ordered.Items[index]].Archive.File;

    public override int Read(int index, ref byte[] buffer)
    {
        var (archive, member) = _members[_ordered.Items[index]];
        return archive.Read(member, Entries[index].Path, ref buffer);
    }

    public override void Dispose()
    {
        foreach (var archive in _archives)
            archive.Dispose();
        base.Dispose();
    }

    /// <summary>The archives below a folder, from there; one empty name where the path is an archive itself.</summary>
    private static List<string> Files(string path, ProblemList problems)
    {
        if (!Directory.Exists(path))
            return [""];
        var found = PhotoFiles.Walk(path);
        var files = found
            .Files.Where(f => IsTar(f.Path) && LeftBehind.FolderOf(f.Path) is null && !PhotoFiles.IsOfSystem(Path.GetFileName(f.Path)))
            .Select(f => f.Path)
            .OrderBy(f => SplitNames.Order(SplitNames.OfFile(f)))
            .ThenBy(f => f, StringComparer.Ordinal)
            .ToList();
        if (files.Count == 0)
            throw new BadInputException($"{path} holds no tar file; expected files such as train-000000.tar");
        files = CopiedNames.Remove(files, file => file, problems);
        files.ForEach(file => FileBytes.RequireSome(Path.Combine(path, file), "a tar file"));
        if (files.Exists(f => SplitNames.OfFile(f).Length == 0) && files.Find(f => SplitNames.OfFile(f).Length > 0) is { } named)
            throw new BadInputException(
                $"{path}: '{named}' names its split but '{files.Find(f => SplitNames.OfFile(f).Length == 0)}' does not; expected "
                    + $"train, validation or test at the start of every file's name, or of none"
            );
        ShardSeries.Check(path, files, problems);
        ShardSeries.NoteSameNames(files.Select(file => (file, SplitNames.OfFile(file))), problems);
        foreach (var twice in files.GroupBy(WithoutExtension).Where(g => g.Count() > 1))
            problems.Add(
                twice.Last(),
                $"lies beside {twice.First()}; both are read: if it holds the same photos in another compression, remove one"
            );
        ShardLists.Note(path, found, files, problems);
        LeftAside.Note(path, found, IsTar, "tar files", problems);
        return files;
    }

    /// <summary>Archives often hold one folder around everything: that one is no class when all the photos lie deeper.</summary>
    private static FoundFiles WithoutWrapper(TarIndex index)
    {
        var found = new FoundFiles([.. index.Members.Select(m => new FoundFile(m.Name, m.Bytes, m.Mtime))], [.. index.Folders]);
        // The wrapper is taken off the names, so that a photo has the same path as in the folder that was packed.
        var top = found.Folders.Where(folder => !folder.Contains('/')).ToList();
        var prefix = top.Count == 1 ? top[0] + "/" : "";
        if (
            prefix.Length == 0
            || found.Files.Exists(f =>
                PhotoFiles.IsPhoto(f.Path)
                && !f.Path[(f.Path.StartsWith(prefix, StringComparison.Ordinal) ? prefix.Length : 0)..].Contains('/')
            )
        )
            return found;
        return new FoundFiles(
            [
                .. found.Files.Select(f =>
                    f.Path.StartsWith(prefix, StringComparison.Ordinal) ? f with { Path = f.Path[prefix.Length..] } : f
                ),
            ],
            [.. found.Folders.Where(f => f.StartsWith(prefix, StringComparison.Ordinal)).Select(f => f[prefix.Length..])]
        );
    }
}
