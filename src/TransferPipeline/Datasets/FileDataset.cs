namespace TransferPipeline.Datasets;

/// <summary>Photos that are files below one folder.</summary>
internal sealed class FileDataset(
    string source,
    string root,
    OrderedPhotos ordered,
    PhotoStamp[] stamps,
    IReadOnlyList<DatasetProblem> problems
) : Dataset
{
    public override string Source => source;

    public override IReadOnlyList<string> Classes => ordered.Classes;

    public override IReadOnlyList<PhotoEntry> Entries => ordered.Entries;

    public override IReadOnlyList<DatasetProblem> Problems => problems;

    public override string Form { get; init; } = "";

    /// <summary>Opens a folder of class folders, with or without split folders.</summary>
    public static FileDataset OpenFolder(DatasetOptions options)
    {
        var problems = new ProblemList();
        var found = PhotoFiles.Walk(options.Path);
        SetsAmongPhotos.Remove(found, problems);
        NoteMetadata(options, problems);
        var (ordered, form) = ClassFolders.Arrange(options.Path, found, options, problems);
        var stamps = Array.ConvertAll(ordered.Items, i => new PhotoStamp(found.Files[i].Bytes, found.Files[i].Mtime));
        return new FileDataset(options.Path, options.Path, ordered, stamps, problems.ToList()) { Form = form };
    }

    private static void NoteMetadata(DatasetOptions options, ProblemList problems)
    {
        const string Unused = "not used: the photos lie in class folders, and these are their labels";
        if (MetadataDataset.Files(options.Path) is not [var metadata, ..])
            return;
        try
        {
            if (MetadataDataset.HasLabels(options))
                problems.Add(metadata, $"{Unused}; kind csv takes the labels of the metadata");
        }
        // What is not used need not be whole.
        catch (BadInputException e)
        {
            problems.Add(metadata, Unused, $" ({e.Message})");
        }
    }

    /// <summary>The same photos, with another form in words.</summary>
    public FileDataset As(string form) => new(source, root, ordered, stamps, problems) { Form = form };

    public override PhotoStamp Stamp(int index) => stamps[index];

    public override string? FileOf(int index) => Path.Combine(root, Entries[index].Path);

    public override int Read(int index, ref byte[] buffer)
    {
        // A pipe or device has no length either, and opening it could wait for ever.
        if (stamps[index].Bytes == 0)
            return 0;
        using var handle = File.OpenHandle(Path.Combine(root, Entries[index].Path));
        // The length is taken anew, since the file may have changed since it was listed.
        return FileBytes.Read(handle, 0, RandomAccess.GetLength(handle), Entries[index].Path, ref buffer);
    }
}
