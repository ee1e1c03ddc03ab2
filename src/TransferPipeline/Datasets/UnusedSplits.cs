using System.Text.Json;

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

    /// <summary>Takes in the keys of a JSON object, one of which may be the split.</summary>
    /// <param name="known">Keys of names and labels.</param>
    public void Add(JsonElement element, IReadOnlyCollection<string> known)
    {
        foreach (var member in element.EnumerateObject())
        {
            if (!known.Contains(member.Name, StringComparer.OrdinalIgnoreCase) && member.Value.ValueKind < JsonValueKind.Null)
                Add(member.Name, member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : member.Value.GetRawText());
        }
    }

    /// <summary>The first of the columns that may give the split; null for none.</summary>
    public string? Found => _columns.Find(column => _onlySplits[column] || IsName(column));

    /// <summary>Notes the first of the columns that may give the split.</summary>
    public void Note(string file, ProblemList problems)
    {
        if (Found is { } found)
            problems.Add(
                Path.GetFileName(file),
                $"column '{found}' may give the split of each photo and is not used; if it does, name it as the split column, with the "
                    + "values train, validation and test"
            );
    }
}
