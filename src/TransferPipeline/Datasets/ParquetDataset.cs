using System.Globalization;

namespace TransferPipeline.Datasets;

/// <summary>
/// Photos inside Parquet files of the Hugging Face <c>datasets</c> library. The order is that of the files (by split, then name) and of
/// their rows. A photo's key is its <c>image.path</c> when these are unique, else <c>file#row</c>.
/// </summary>
internal sealed class ParquetDataset : Dataset
{
    /// <summary>
    /// Rows are read in windows of about this many bytes, since reading one photo costs about as much as reading its neighbours too.
    /// </summary>
    private const long WindowBytes = 8 << 20;

    /// <summary>Windows kept: workers that read in order are never more than one window apart, random reads gain little.</summary>
    private const int WindowsKept = 4;

    private readonly IPhotoTable _table;
    private readonly OrderedPhotos _ordered;
    private readonly List<PhotoRow> _photos;
    private readonly List<Window> _windows = [];
    private readonly LinkedList<(int Window, Lazy<byte[][]> Photos)> _recent = new();

    private ParquetDataset(
        string source,
        IPhotoTable table,
        OrderedPhotos ordered,
        List<PhotoRow> photos,
        IReadOnlyList<DatasetProblem> problems
    )
    {
        (Source, _table, _ordered, _photos, Problems) = (source, table, ordered, photos, problems);
        var start = 0L;
        for (var i = 0; i < photos.Count; i++)
        {
            // A window never crosses two files. A photo that is larger than a window has one of its own. It is a range of rows: those
            // without a label in between are read too, and count.
            if (_windows.Count == 0 || _windows[^1].File != photos[i].File || photos[i].End - start > WindowBytes)
            {
                _windows.Add(new Window(photos[i].File, photos[i].Row, 0));
                start = photos[i].End - photos[i].Bytes;
            }

            _windows[^1] = _windows[^1] with { Count = photos[i].Row - _windows[^1].FirstRow + 1 };
            photos[i] = photos[i] with { Window = _windows.Count - 1 };
        }
    }

    public override string Source { get; }

    public override IReadOnlyList<string> Classes => _ordered.Classes;

    public override IReadOnlyList<PhotoEntry> Entries => _ordered.Entries;

    public override IReadOnlyList<DatasetProblem> Problems { get; }

    public static ParquetDataset Open(DatasetOptions options, IPhotoTable table)
    {
        var problems = new ProblemList();
        var files = ParquetFiles.Find(options.Path, problems);
        var before = problems.ToList().Count;
        var photos = new List<PhotoRow>();
        var columns = new List<(ParquetFile File, HuggingFaceColumns Columns)>();
        var stated = RepositoryInfo.Of(options.Path, files, problems);
        var rows = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            var (read, count) = ReadFile(file, options, table, stated, photos, problems);
            columns.Add((file, read));
            rows[file.Split] = rows.GetValueOrDefault(file.Split) + count;
        }

        // Of one file that is given the others are not missing, and files without splits may be of any.
        if (Directory.Exists(options.Path) && !rows.ContainsKey(""))
            stated?.NoteRows(rows, problems);
        if (photos.Count == 0)
            throw new BadInputException(
                $"{options.Path} holds no photo with a label; expected rows with image bytes and a label"
                    + (problems.ToList().ElementAtOrDefault(before) is { } first ? $" (first of all {first})" : "")
            );
        NoteColumns(columns, photos, problems);
        NoteNames(columns, stated, problems);

        var unique = photos.TrueForAll(p => p.Path is not null) && photos.DistinctBy(p => p.Path).Count() == photos.Count;
        var entries = photos
            .Select((p, i) => (new PhotoEntry(unique ? p.Path! : $"{p.File.Name}#{p.Row}", p.Label, p.File.Split), i))
            .ToList();
        return new ParquetDataset(
            options.Path,
            table,
            OrderedPhotos.From(options.Path, entries, options, problems),
            photos,
            problems.ToList()
        )
        {
            Form = files.Count == 1 ? "Parquet file with photos" : $"{files.Count} Parquet files with photos",
        };
    }

    public override PhotoStamp Stamp(int index)
    {
        var photo = _photos[_ordered.Items[index]];
        return new PhotoStamp(photo.Bytes, photo.File.Mtime);
    }

    public override string? FileOf(int index) => _photos[_ordered.Items[index]].File.FullPath;

    public override int Read(int index, ref byte[] buffer)
    {
        var photo = _photos[_ordered.Items[index]];
        var window = _windows[photo.Window];
        var bytes = WindowOf(photo.Window).Value[photo.Row - window.FirstRow];
        FileBytes.MakeRoom(bytes.Length, Entries[index].Path, ref buffer);
        bytes.CopyTo(buffer.AsSpan());
        return bytes.Length;
    }

    /// <summary>
    /// The window, read by the first thread that needs it; others wait for that reading and not for each other's windows.
    /// </summary>
    private Lazy<byte[][]> WindowOf(int index)
    {
        lock (_recent)
        {
            for (var node = _recent.First; node is not null; node = node.Next)
            {
                if (node.Value.Window != index)
                    continue;
                _recent.Remove(node);
                _recent.AddFirst(node);
                return node.Value.Photos;
            }

            // The reading happens in Value, after the lock is released, so that windows are read side by side.
            var photos = new Lazy<byte[][]>(() => ReadWindow(_windows[index]));
            _recent.AddFirst((index, photos));
            if (_recent.Count > WindowsKept)
                _recent.RemoveLast();
            return photos;
        }
    }

    private byte[][] ReadWindow(Window window)
    {
        var photos = _table.ReadPhotos(window.File.FullPath, window.File.ImageColumn, window.FirstRow, window.Count);
        return photos.Length == window.Count
            ? photos
            : throw new BadInputException(
                $"{window.File.FullPath} gave {photos.Length} rows from row {window.FirstRow}, expected {window.Count}; it was "
                    + $"changed while it was read"
            );
    }

    /// <summary>Notes columns that could have been taken too, and files whose labels are not of one kind.</summary>
    private static void NoteColumns(List<(ParquetFile File, HuggingFaceColumns Columns)> files, List<PhotoRow> photos, ProblemList problems)
    {
        var (first, columns) = files[0];
        if (columns.Images.Count > 1)
            problems.Add(
                first.Name,
                $"columns {string.Join(", ", columns.Images.Select(name => $"'{name}'"))} may hold the photos; '{columns.Image}' is taken"
            );
        var labels = new LabelKeys(first.Name);
        foreach (var (_, other) in files)
            labels.Add(other.Labels);
        labels.Note(problems);
        // Index 1 of a file with names and label 1 of one without are two classes, though they may stand for the same.
        var used = photos.Select(photo => photo.File).ToHashSet();
        var named = files.Where(file => used.Contains(file.File)).ToLookup(file => file.Columns.Names is not null || file.Columns.IsText);
        if (named[true].Any() && named[false].Any())
            throw new BadInputException(
                $"'{named[true].First().File.FullPath}' holds names of its classes and "
                    + $"'{named[false].First().File.FullPath}' only numbers; each would make classes of its own: "
                    + $"write both with the same features"
            );
        if (
            files.TrueForAll(file => file.Columns.Names is null)
            && photos.TrueForAll(photo => long.TryParse(photo.Label, CultureInfo.InvariantCulture, out _))
        )
            problems.Add(first.Name, "its labels are numbers and it holds no names for them: classes are called by their numbers");
    }

    /// <summary>Notes class names that the repository states: they are used, or differ from those in a file.</summary>
    private static void NoteNames(List<(ParquetFile File, HuggingFaceColumns Columns)> files, RepositoryInfo? stated, ProblemList problems)
    {
        var label = files[0].Columns.Label;
        if (stated?.NamesOf(label) is not { } names)
            return;
        if (files.Exists(file => !file.Columns.HasOwnNames && file.Columns.Names is not null))
            problems.Add(stated.File, "class names are taken from it, since the Parquet files hold numbers alone");
        if (files.Find(file => file.Columns.HasOwnNames && !file.Columns.Names!.SequenceEqual(names)).File is { } other)
            problems.Add(stated.File, "its class names differ from those in the Parquet files, which are taken", $" ({other.Name})");
    }

    private static (HuggingFaceColumns Columns, int Rows) ReadFile(
        ParquetFile file,
        DatasetOptions options,
        IPhotoTable table,
        RepositoryInfo? stated,
        List<PhotoRow> photos,
        ProblemList problems
    )
    {
        var description = table.Describe(file.FullPath);
        var columns = HuggingFaceColumns.Of(file.FullPath, description, options, stated);
        // A name alone: values are not read for it.
        if (
            file.Split.Length == 0
            && description.Columns.FirstOrDefault(c => c.Name != columns.Label && UnusedSplits.IsName(c.Name)).Name is { } split
        )
            problems.Add(
                file.Name,
                $"column '{split}' may give the split of each photo and is not used, since splits come from the names of files; write a "
                    + "file for each split, such as train.parquet"
            );
        file.ImageColumn = columns.Image;
        var rows = table.ReadIndex(file.FullPath, columns.Image, columns.Label);
        if (rows.Count == 0)
            problems.Add(file.Name, "the file has no rows");
        if (rows.Count > 0 && rows.TrueForAll(row => row.Bytes == 0))
        {
            throw new BadInputException(
                $"{file.FullPath}: column '{columns.Image}' holds no image bytes, only paths; expected embedded photos: write the "
                    + $"file with them (push_to_hub and save_to_disk's embed_external_files do)"
            );
        }

        var end = 0L;
        for (var i = 0; i < rows.Count; i++)
        {
            end += rows[i].Bytes;
            var name = $"{file.Name}#{i}";
            // Bytes that are not UTF-8 come as U+FFFD, which makes one label of two.
            if (rows[i].Label is { } text && text.Contains('\uFFFD', StringComparison.Ordinal))
                throw new BadInputException(
                    $"{file.FullPath}, row {i}: label '{text}' is not UTF-8, and a guess could make one class of two; write the file again "
                        + $"with labels in UTF-8"
                );
            var label = columns.LabelOf(rows[i].Label, out var reason);
            if (rows[i].Bytes == 0)
                problems.Add(name, "left out: the row has no image bytes");
            else if (label is null)
                problems.Add(name, "left out: " + reason);
            else
                photos.Add(new PhotoRow(file, i, rows[i].Bytes, end, rows[i].Path, label, 0));
        }

        return (columns, rows.Count);
    }

    /// <param name="End">Bytes of all photos of the file up to this one and with it.</param>
    private sealed record PhotoRow(ParquetFile File, int Row, long Bytes, long End, string? Path, string Label, int Window);

    private readonly record struct Window(ParquetFile File, int FirstRow, int Count);
}
