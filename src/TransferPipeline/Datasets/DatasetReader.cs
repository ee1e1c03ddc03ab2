namespace TransferPipeline.Datasets;

/// <summary>Opens a dataset in any of the known forms.</summary>
internal static class DatasetReader
{
    // One or two label bytes and 3 x 32 x 32 pixel bytes; the length of a .bin file distinguishes the two kinds.
    private const int Cifar10Record = 3073;
    private const int Cifar100Record = 3074;

    private static readonly string[] TableExtensions = [".csv", ".tsv", ".jsonl", ".ndjson"];

    /// <param name="table">Reads Parquet; needed for <see cref="DatasetKind.Parquet"/> alone.</param>
    /// <exception cref="BadInputException">There is nothing at the path, no photo in it, or it is damaged.</exception>
    /// <exception cref="UsageException">The options do not fit the data: an unknown class or column, a share out of range.</exception>
    public static Dataset Open(DatasetOptions options, IPhotoTable? table = null)
    {
        try
        {
            var dataset = OpenKind(options, table);
            dataset.Options = options;
            return dataset;
        }
        // Some readers open files of their own: in all forms of data the same answer.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{options.Path} cannot be read: {e.Message}", e);
        }
    }

    private static Dataset OpenKind(DatasetOptions options, IPhotoTable? table)
    {
        var kind = KindOf(options);
        TableOptions.Require(options, kind);
        return kind switch
        {
            DatasetKind.Csv => Directory.Exists(options.Path) ? MetadataDataset.Open(options) : CsvDataset.Open(options),
            DatasetKind.Tar => TarDataset.Open(options),
            DatasetKind.Cifar10 => CifarDataset.Open(options, 10),
            DatasetKind.Cifar100 => CifarDataset.Open(options, 100),
            DatasetKind.Parquet => ParquetDataset.Open(
                options,
                table ?? throw new UsageException($"{options.Path}: this build reads no Parquet")
            ),
            _ => FileDataset.OpenFolder(options),
        };
    }

    /// <summary>The form of the data at the path; checks that a requested form can be there.</summary>
    public static DatasetKind KindOf(DatasetOptions options)
    {
        var isFolder = Directory.Exists(options.Path);
        if (!isFolder && !File.Exists(options.Path))
            throw new BadInputException(
                $"{options.Path}: there is no such file or folder; "
                    + (
                        options.Path.AsSpan().ContainsAny("*?[{")
                            ? "patterns are not read: give the folder in which the files lie"
                            : "expected photos, for example a folder with a folder for each class"
                    )
            );
        if (options.Kind == DatasetKind.Folder && !isFolder)
            throw new BadInputException($"{options.Path} is a file, expected a folder with a folder for each class");
        if (options.Kind == DatasetKind.Csv && isFolder && MetadataDataset.Files(options.Path).Count == 0)
            throw new BadInputException(
                $"{options.Path} is a folder, expected a CSV file (or a folder with metadata.csv or metadata.jsonl)"
            );
        var kind =
            options.Kind != DatasetKind.Auto ? options.Kind
            : isFolder ? KindOfFolder(options)
            : KindOfFile(options.Path);
        // Before any reader opens the file: reading a pipe could wait for ever.
        if (!isFolder)
            FileBytes.RequireSome(
                options.Path,
                kind == DatasetKind.Csv ? "a line of column names and a line for each photo" : "a file with photos"
            );
        return kind;
    }

    private static DatasetKind KindOfFolder(DatasetOptions options)
    {
        // From exact names of files to the most general form: what has none of them is a folder of class folders.
        if (CifarFiles.Has(options.Path, 10))
            return DatasetKind.Cifar10;
        if (CifarFiles.Has(options.Path, 100))
            return DatasetKind.Cifar100;
        var content = FolderContent.Of(options.Path);
        if (content.HasParquet)
            return DatasetKind.Parquet;
        if (content.HasTars)
            return DatasetKind.Tar;
        // Where photos lie in class folders, their folders are their labels, and metadata beside them only get a line.
        return content.HasPhotosOutsideClassFolders && MetadataDataset.HasLabels(options) ? DatasetKind.Csv : DatasetKind.Folder;
    }

    /// <summary>Whether a file is a table of names and labels by its extension.</summary>
    public static bool IsTable(string name) => TableExtensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase);

    private static DatasetKind KindOfFile(string path)
    {
        string[] names = [.. TableExtensions, ".parquet", ".tar", ".tar.gz", ".tgz", ".bin"];
        return Array.Find(names, name => path.EndsWith(name, StringComparison.OrdinalIgnoreCase)) switch
        {
            { } extension when TableExtensions.Contains(extension) => DatasetKind.Csv,
            ".parquet" => DatasetKind.Parquet,
            ".tar" or ".tar.gz" or ".tgz" => DatasetKind.Tar,
            // A length that both records divide is taken for CIFAR-10's.
            ".bin" => FileBytes.Length(path) % Cifar100Record == 0 && FileBytes.Length(path) % Cifar10Record != 0
                ? DatasetKind.Cifar100
                : DatasetKind.Cifar10,
            // CIFAR-10's pickled batches have no extension.
            _ when Path.GetFileName(path) is var name
                    && (name == "test_batch" || name.StartsWith("data_batch_", StringComparison.Ordinal))
                    && CifarFiles.IsPickle(path) => DatasetKind.Cifar10,
            _ => throw new BadInputException(Unknown(path, names)),
        };
    }

    private static string Unknown(string path, string[] names)
    {
        // A pipe has no length; opening it could wait for ever.
        var isThere = FileBytes.Length(path) > 0;
        if (OtherForms.Of(Path.GetFileName(path)) is { } form)
            return $"{path} is {form}";
        if (isThere && MagicNumbers.Of(path) is { } archive)
            return $"{path} is {archive}";
        if (isThere && path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase))
            return $"{path} is compressed with gzip: unpack it with gzip -d";
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return $"{path} is JSON; expected JSON lines, one object per line in a file ending in .jsonl "
                + "(jq -c '.[]' writes them from a list)";
        var kind = (isThere ? MagicNumbers.NameOf(path) : null) ?? "of no known kind";
        return $"{path} is {kind}; expected a folder or a file ending in {string.Join(' ', names)}";
    }
}
