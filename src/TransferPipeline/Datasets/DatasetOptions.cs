namespace TransferPipeline.Datasets;

/// <summary>The forms in which photos with labels come.</summary>
public enum DatasetKind
{
    /// <summary>
    /// Found from the path: a folder of class folders, CIFAR's or Parquet files, a .csv, .parquet, .tar, .tar.gz or .tgz file.
    /// </summary>
    Auto,

    /// <summary>A folder with one folder per class, or with one folder per split and class.</summary>
    Folder,

    /// <summary>A table with a row per photo: its path, its label and perhaps its split.</summary>
    Csv,

    /// <summary>Parquet files that hold the photos, as Hugging Face datasets has them.</summary>
    Parquet,

    /// <summary>CIFAR-10's binary or Python files.</summary>
    Cifar10,

    /// <summary>CIFAR-100's binary or Python files.</summary>
    Cifar100,

    /// <summary>A tar archive, or WebDataset shards.</summary>
    Tar,
}

/// <summary>Where the photos are and how they are divided.</summary>
public sealed record DatasetOptions
{
    /// <summary>A folder or a file.</summary>
    public required string Path { get; init; }

    /// <summary>The form of the data; found from the path by default.</summary>
    [Option("kind", "The form of the data, where the path does not show it.")]
    public DatasetKind Kind { get; init; }

    /// <summary>
    /// Part of the photos of each class that becomes the validation split, 0 for none. Null: 0.2 where the data has no splits of its own,
    /// nothing where it has. Given, it is also taken from the training photos of data that has splits but none for validation.
    /// </summary>
    [Option("validation-share", "Part of each class held out where the data has no splits; default 0.2.", Min = 0, Max = 0.95)]
    public double? ValidationShare { get; init; }

    /// <summary>Part of the photos of each class that becomes the test split where the data has no splits of its own.</summary>
    [Option("test-share", "Part of each class kept for test where the data has no splits.", Min = 0, Max = 0.95)]
    public double TestShare { get; init; }

    /// <summary>
    /// Call the test split validation where the data has no validation split (CIFAR, many Hugging Face sets), as tutorials do.
    /// </summary>
    public bool TestAsValidation { get; init; }

    /// <summary>Another seed divides the photos otherwise.</summary>
    [Option("seed", "Seed of the split.", CommandName = "split-seed", Min = 0)]
    public int Seed { get; init; }

    /// <summary>Keep the classes' shares equal in all splits; off, the shares hold for all photos together.</summary>
    [Option("stratified", "Keep the classes' shares in all splits.")]
    public bool Stratified { get; init; } = true;

    /// <summary>Only these classes; empty for all.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>
    /// CSV: the column of photo names; null takes the first usual name that is there: <c>id, path, file, filename, image</c>, ...
    /// </summary>
    [Option("path-column", "CSV: column of photo names; default id, path, file, ...")]
    public string? PathColumn { get; init; }

    /// <summary>
    /// CSV and Parquet: the column of labels; null takes the first of <c>label, class, breed, category, target</c> (Parquet: the ClassLabel
    /// column) that is there.
    /// </summary>
    [Option("label-column", "CSV: column of labels; default label, class, ...")]
    public string? LabelColumn { get; init; }

    /// <summary>CSV: the column of splits; null takes <c>split</c> when it is there.</summary>
    [Option("split-column", "CSV: column of splits; default split, where there is one.")]
    public string? SplitColumn { get; init; }

    /// <summary>CSV: the folder of the photos; null is the folder of the CSV file.</summary>
    [Option("folder", "CSV: folder of the photos; default the one that the CSV is in.", ValueName = "PATH")]
    public string? Folder { get; init; }

    /// <summary>CSV: appended to each name, e.g. <c>.jpg</c>.</summary>
    [Option("extension", "CSV: appended to each name, such as .jpg.", ValueName = ".EXT")]
    public string Extension { get; init; } = "";

    /// <summary>What it takes to find the photos again by their paths, whatever the splits; null when that is the path alone.</summary>
    internal DatasetOptions? ForReading()
    {
        // Shares, seed and classes are left out: the feature set has its splits and classes itself.
        var plain = new DatasetOptions { Path = Path };
        var own = plain with
        {
            Kind = Kind,
            PathColumn = PathColumn,
            LabelColumn = LabelColumn,
            SplitColumn = SplitColumn,
            Folder = Folder,
            Extension = Extension,
        };
        return own == plain ? null : own;
    }

    /// <summary>The same photos after a move.</summary>
    /// <param name="place">The folder, table or archive; of a CSV also the folder of its photos alone.</param>
    internal DatasetOptions MovedTo(string place)
    {
        var csv = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        if (Folder is not null && Directory.Exists(place))
            return this with { Folder = place };
        // A photos' folder of its own keeps its place relative to the table.
        return Folder is null
            ? this with
            {
                Path = place,
            }
            : this with
            {
                Path = place,
                Folder = System.IO.Path.GetFullPath(
                    System.IO.Path.GetRelativePath(csv, System.IO.Path.GetFullPath(Folder)),
                    System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(place))!
                ),
            };
    }
}
