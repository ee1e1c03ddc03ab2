namespace TransferPipeline.Datasets;

/// <summary>
/// Columns of a table that may give each photo's split, though none is named as the split column: dividing the photos anew would put
/// photos of a given test split into training without a word.
/// </summary>
internal sealed class UnusedSplits
{
    /// <summary>Lines whose values are compared with the names of splits.</summary>
    public const int ProbedLines = 50;

    /// <summary>Letters of names that say so by themselves, whatever the values.</summary>
    private static readonly HashSet<string> Names = new(
        [
            "split",
            "splits",
            "fold",
            "folds",
            "kfold",
            "cvfold",
            "subset",
            "partition",
            "usage",
            "istrain",
            "istraining",
            "istest",
            "istesting",
            "isval",
            "isvalid",
            "isvalidation",
            "traintest",
            "traintestsplit",
        ],
        StringComparer.OrdinalIgnoreCase
    );

    private readonly List<string> _columns = [];
    private readonly Dictionary<string, bool> _onlySplits = new(StringComparer.Ordinal);

    /// <summary>Whether a column's name states that it gives the split.</summary>
    public static bool IsName(string column) => Names.Contains(string.Concat(column.Where(char.IsAsciiLetter)));

    /// <summary>Takes in one value of a column.</summary>
    public void Add(string column, string value)
    {
        if (!_onlySplits.TryGetValue(column, out var only))
        {
            _columns.Add(column);
            only = true;
        }

        _onlySplits[column] = only && SplitNames.Canonical(value.Trim()) is not null;
    }

    /// <summary>Notes the first of the columns that may give the split.</summary>
    public void Note(string file, ProblemList problems)
    {
        if (_columns.Find(column => _onlySplits[column] || IsName(column)) is { } found)
            problems.Add(
                Path.GetFileName(file),
                $"column '{found}' may give the split of each photo and is not used; if it does, name it as the split column, with the "
                    + "values train, validation and test"
            );
    }
}
