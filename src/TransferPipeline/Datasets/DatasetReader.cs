namespace TransferPipeline.Datasets;

/// <summary>Opens a dataset in any of the known forms.</summary>
public static class DatasetReader
{
    private const int Cifar10Record = 3073;
    private const int Cifar100Record = 3074;

    /// <param name="table">Reads Parquet; needed for <see cref="DatasetKind.Parquet"/> alone.</param>
    /// <exception cref="BadInputException">There is nothing at the path, no photo in it, or it is damaged.</exception>
    /// <exception cref="UsageException">The options do not fit the data: an unknown class or column, a share out of range.</exception>
    public static Dataset Open(DatasetOptions options, IPhotoTable? table = null)
    {
        Dataset dataset = KindOf(options) switch
        {
            DatasetKind.Csv => CsvDataset.Open(options),
            DatasetKind.Tar => TarDataset.Open(options),
            DatasetKind.Cifar10 => CifarDataset.Open(options, 10),
            DatasetKind.Cifar100 => CifarDataset.Open(options, 100),
            DatasetKind.Parquet => ParquetDataset.Open(options, table ?? throw new UsageException($"{options.Path}: this build reads no Parquet")),
            _ => FileDataset.OpenFolder(options),
        };
        dataset.Options = options;
        return dataset;
    }

    /// <summary>The form of the data at the path; checks that a form that is asked for can be there.</summary>
    public static DatasetKind KindOf(DatasetOptions options)
    {
        var isFolder = Directory.Exists(options.Path);
        if (!isFolder && !File.Exists(options.Path))
            throw new BadInputException($"{options.Path}: there is no such file or folder; expected photos, for example a folder with a folder for each class");
        if (options.Kind == DatasetKind.Folder && !isFolder)
            throw new BadInputException($"{options.Path} is a file, expected a folder with a folder for each class");
        if (options.Kind is DatasetKind.Csv or DatasetKind.Tar && isFolder)
            throw new BadInputException($"{options.Path} is a folder, expected a {(options.Kind == DatasetKind.Csv ? "CSV" : "tar")} file");
        var kind = options.Kind != DatasetKind.Auto ? options.Kind : isFolder ? KindOfFolder(options.Path) : KindOfFile(options.Path);
        if (!isFolder)
            FileBytes.RequireSome(options.Path, kind == DatasetKind.Csv ? "a line of column names and a line for each photo" : "a file with photos");
        return kind;
    }

    private static DatasetKind KindOfFolder(string path)
    {
        if (CifarDataset.CifarFolder(path, 10) is not null)
            return DatasetKind.Cifar10;
        if (CifarDataset.CifarFolder(path, 100) is not null)
            return DatasetKind.Cifar100;
        return Directory.EnumerateFiles(path, "*.parquet").Any()
            || Directory.EnumerateDirectories(path).Any(folder => Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*.parquet").Any())
            ? DatasetKind.Parquet
            : DatasetKind.Folder;
    }

    private static DatasetKind KindOfFile(string path)
    {
        string[] names = [".csv", ".tsv", ".parquet", ".tar", ".tar.gz", ".tgz", ".bin"];
        return Array.Find(names, name => path.EndsWith(name, StringComparison.OrdinalIgnoreCase)) switch
        {
            ".csv" or ".tsv" => DatasetKind.Csv,
            ".parquet" => DatasetKind.Parquet,
            ".tar" or ".tar.gz" or ".tgz" => DatasetKind.Tar,
            ".bin" => FileBytes.Length(path) % Cifar100Record == 0 && FileBytes.Length(path) % Cifar10Record != 0 ? DatasetKind.Cifar100 : DatasetKind.Cifar10,
            _ => throw new BadInputException($"{path} is of no known kind; expected a folder or a file ending in {string.Join(' ', names)}"),
        };
    }
}
