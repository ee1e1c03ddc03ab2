namespace TransferPipeline.Datasets;

/// <summary>The spellings of splits that are in use.</summary>
internal static class SplitNames
{
    private static readonly Dictionary<string, string> Spellings = new(StringComparer.OrdinalIgnoreCase)
    {
        ["train"] = Splits.Train,
        ["training"] = Splits.Train,
        ["trn"] = Splits.Train,
        ["val"] = Splits.Validation,
        ["valid"] = Splits.Validation,
        ["validation"] = Splits.Validation,
        ["dev"] = Splits.Validation,
        ["test"] = Splits.Test,
        ["testing"] = Splits.Test,
    };

    public static IReadOnlyCollection<string> All => Spellings.Keys;

    /// <returns>One of <see cref="Splits"/>, or null when the name is no split's.</returns>
    public static string? Canonical(string name) => Spellings.GetValueOrDefault(name);

    /// <summary>Whether a name is that of a split but for a number behind it: train, test1, val_2.</summary>
    public static bool IsNumbered(string name) =>
        Canonical(name.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '_', '-', ' ')) is not null;

    /// <summary>
    /// The split that a name holds as one of its words (seg_train, test_set, x-train-2024), or null where it holds none or several.
    /// </summary>
    public static string? Within(string name)
    {
        var found = name.Split(['_', '-', ' ', '.', '(', ')'], StringSplitOptions.RemoveEmptyEntries)
            .Select(Canonical)
            .OfType<string>()
            .Distinct()
            .ToList();
        return found is [var only] ? only : null;
    }

    /// <summary>
    /// The split that a file's name begins with (train-00000-of-00002.parquet), else that of the folder it lies in; empty where it names
    /// none.
    /// </summary>
    /// <param name="name">With '/'.</param>
    public static string OfFile(string name)
    {
        var parts = name.Split('/');
        var first = parts[^1].Split('-', '_', '.')[0];
        return Canonical(first) ?? (parts.Length > 1 ? OfFolder(parts[^2]) : null) ?? "";
    }

    /// <summary>
    /// The split of a folder of Parquet files: train; partial-train of refs/convert/parquet, where a split was too large to convert whole;
    /// split=train, as Spark and DuckDB divide tables. Null where it names none.
    /// </summary>
    public static string? OfFolder(string name)
    {
        foreach (var before in (string[])["partial-", "split="])
        {
            if (name.StartsWith(before, StringComparison.Ordinal))
                return Canonical(name[before.Length..]);
        }

        return Canonical(name);
    }

    /// <summary>Place of a split in the order of entries: train, validation, test.</summary>
    public static int Order(string split) =>
        split switch
        {
            Splits.Train => 0,
            Splits.Validation => 1,
            Splits.Test => 2,
            _ => 3,
        };
}
