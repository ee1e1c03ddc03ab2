using TransferPipeline.Datasets;

namespace TransferPipeline.Features;

/// <summary>
/// The vectors of one dataset under one recipe, on disk: a folder with a manifest, Parquet parts and the list of failed photos.
/// </summary>
public sealed partial class FeatureSet
{
    /// <summary>Of parts that fine-tuning caches.</summary>
    internal const string ActivationExtension = "f16";

    private readonly IFeatureTable _table;
    private int[][]? _ranks;

    internal FeatureSet(string folder, FeatureManifest manifest, IFeatureTable table) =>
        (Folder, Manifest, _table) = (folder, manifest, table);

    /// <summary>The folder of the set.</summary>
    public string Folder { get; }

    internal FeatureManifest Manifest { get; }

    /// <summary>What determined its vectors.</summary>
    public Recipe Recipe => Manifest.Recipe;

    /// <summary>Length D of every vector.</summary>
    public int Dimension => Manifest.Dimension;

    /// <summary>Number N of vectors, views included.</summary>
    public int Rows => checked((int)Manifest.Rows);

    /// <exception cref="BadInputException">The folder is not there, is no feature set, or is from a newer version.</exception>
    internal static FeatureSet Open(string folder, IFeatureTable table)
    {
        var set = OpenAny(folder, table);
        return
            table.PartExtension == ActivationExtension
            || !set.Manifest.Parts.Any(p => Path.GetExtension(p.File) == "." + ActivationExtension)
            ? set
            : throw new BadInputException(
                $"{folder} holds activations of 'transfer finetune', not vectors; name a feature set that 'transfer extract' made"
            );
    }

    /// <summary>Opens a set that may also be of activations, for its manifest alone.</summary>
    private static FeatureSet OpenAny(string folder, IFeatureTable table)
    {
        if (File.Exists(folder))
            throw new BadInputException($"{folder} is a file, expected the folder of a feature set");
        if (!Directory.Exists(folder))
            throw new BadInputException(
                $"there is no folder {folder}: a feature set is made by 'transfer extract --data DIR --model NAME --out {folder}'"
            );
        var manifest =
            FeatureManifest.Read(folder)
            ?? throw new BadInputException(
                $"{folder} is not a feature set: it has no {FeatureManifest.FileName}; 'transfer extract --out DIR' makes one"
            );
        return new(folder, manifest, table);
    }

    /// <summary>
    /// The feature sets among a folder and the folders up to two levels below it (a pipeline's output keeps them in features/), by name;
    /// damaged ones are left out and reported.
    /// </summary>
    internal static IReadOnlyList<FeatureSet> List(string root, IFeatureTable table, Action<string>? damaged = null)
    {
        if (!Directory.Exists(root))
            throw new BadInputException(
                File.Exists(root) ? $"{root} is a file, expected a folder with feature sets" : $"there is no folder {root}"
            );
        var sets = new List<FeatureSet>();
        // A depth of 1 lists two levels: the folders in the root and those inside them.
        var levels = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 };
        foreach (var folder in Directory.EnumerateDirectories(root, "*", levels).Order(StringComparer.Ordinal).Prepend(root))
        {
            if (!File.Exists(Path.Combine(folder, FeatureManifest.FileName)))
                continue;
            try
            {
                sets.Add(OpenAny(folder, table));
            }
            catch (BadInputException e)
            {
                damaged?.Invoke(e.Message);
            }
        }

        return sets;
    }

    /// <summary>All rows without their vectors, in the dataset's order.</summary>
    public IReadOnlyList<FeatureRow> LoadRows()
    {
        // Read first, since the manifest's numbers of rows count only once the parts confirm them.
        var parts = Manifest.Parts.Select(ReadRows).ToList();
        var rows = new FeatureRow[Rows];
        for (var p = 0; p < parts.Count; p++)
        {
            for (var i = 0; i < parts[p].Count; i++)
                rows[Ranks[p][i]] = parts[p][i];
        }

        var classes = ClassIndices();
        foreach (var row in rows)
            RequireKnown(classes, row.Label, row.Split, row.Path);
        return rows;
    }

    /// <summary>The photos that could not be used, with the reasons.</summary>
    public IReadOnlyList<FailedRow> LoadFailed() =>
        Manifest.Failed is { } failed ? _table.ReadFailed(Path.Combine(Folder, failed.File)) : [];

    /// <summary>Reads vectors and rows into memory, in the dataset's order.</summary>
    /// <param name="split">Only this split; null for all.</param>
    /// <param name="verify">Compare each part's SHA-256 with the manifest's first.</param>
    /// <exception cref="BadInputException">A part is missing, damaged or not what the manifest states.</exception>
    public FeatureData Load(string? split = null, bool verify = true)
    {
        if (verify)
            RequireIntact();
        var all = LoadRows();
        // Row numbers in the result, -1 for rows that were not requested.
        var number = new int[all.Count];
        var rows = new List<FeatureRow>(all.Count);
        for (var i = 0; i < number.Length; i++)
        {
            number[i] = split is null || all[i].Split == split ? rows.Count : -1;
            if (number[i] >= 0)
                rows.Add(all[i]);
        }

        // Before the matrix is made, whose constructor would overflow without naming the set.
        if ((long)rows.Count * Dimension > Array.MaxLength)
            throw new JobFailedException(
                $"{Folder}: {rows.Count:N0} vectors of {Dimension:N0} values are more than a matrix in memory holds "
                    + $"({Array.MaxLength:N0} values); train with --stream, or take a part of the photos"
            );
        var x = new FeatureMatrix(rows.Count, Dimension);
        for (var p = 0; p < Manifest.Parts.Count; p++)
            LoadPart(p, number, x);
        var classes = ClassIndices();
        return new()
        {
            X = x,
            Y = [.. rows.Select(r => classes[r.Label])],
            Classes = Manifest.Classes,
            Rows = rows,
        };
    }

    /// <summary>Row numbers in the whole set of the rows of each part.</summary>
    internal int[][] Ranks => _ranks ??= RowOrder.Ranks(Manifest, Folder);

    internal List<FeatureRow> ReadRows(FeaturePart part)
    {
        var rows = _table.ReadRows(Existing(part));
        return rows.Count == part.Rows
            ? rows
            : throw new BadInputException($"{part.File} in {Folder} has {rows.Count} rows, its manifest says {part.Rows}: extract again");
    }

    internal FeatureMatrix ReadVectors(FeaturePart part)
    {
        RequireShape(part);
        var matrix = new FeatureMatrix(part.Rows, Dimension);
        _table.ReadVectors(Existing(part), matrix, 0);
        return matrix;
    }

    internal string Existing(FeatureFile part)
    {
        var file = Path.Combine(Folder, part.File);
        return File.Exists(file) ? file : throw new BadInputException($"{file} is missing though the manifest names it: extract again");
    }

    private void LoadPart(int p, int[] number, FeatureMatrix x)
    {
        var (part, ranks) = (Manifest.Parts[p], Ranks[p]);
        var wanted = ranks.Count(r => number[r] >= 0);
        // A part without a row of the split is not opened.
        if (wanted == 0)
            return;
        // Rows that stand together in the result are decoded straight into
        // it, without a second copy of the part in memory.
        var inPlace = wanted == ranks.Length;
        for (var i = 1; i < ranks.Length && inPlace; i++)
            inPlace = number[ranks[i]] == number[ranks[0]] + i;
        if (inPlace)
        {
            _table.ReadVectors(Existing(part), x, number[ranks[0]]);
            return;
        }

        var vectors = ReadVectors(part);
        for (var i = 0; i < ranks.Length; i++)
        {
            if (number[ranks[i]] >= 0)
                vectors.Row(i).CopyTo(x.Row(number[ranks[i]]));
        }
    }

    /// <summary>Index of each class by its name.</summary>
    internal Dictionary<string, int> ClassIndices() =>
        Manifest.Classes.Select((name, i) => (name, i)).ToDictionary(c => c.name, c => c.i, StringComparer.Ordinal);

    /// <summary>Refuses a row that every split or class would leave out in silence; only a set that was changed by hand has one.</summary>
    /// <param name="path">The row's photo; null where it was not read.</param>
    /// <exception cref="BadInputException">The manifest does not list the label, or the split is none.</exception>
    internal void RequireKnown(Dictionary<string, int> classes, string label, string split, string? path = null)
    {
        if (!classes.ContainsKey(label))
            throw Unknown($"has the label '{label}', which its manifest does not list");
        if (split is not (Splits.Train or Splits.Validation or Splits.Test))
            throw Unknown($"is in split '{split}', expected {Splits.Train}, {Splits.Validation} or {Splits.Test}");

        BadInputException Unknown(string what) =>
            new($"{Folder}: {(path is null ? "a photo" : $"photo {path}")} {what}; extract again from the photos");
    }
}
