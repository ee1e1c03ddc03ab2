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

    /// <summary>Place of a split in the order of entries: train, validation, test.</summary>
    public static int Order(string split) => split switch { Splits.Train => 0, Splits.Validation => 1, Splits.Test => 2, _ => 3 };
}
