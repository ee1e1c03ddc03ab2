namespace TransferPipeline.Datasets;

/// <summary>
/// Which key or column of labels was taken, over all objects or files of a dataset: one line where others may hold labels too, and one
/// where labels come from several, since those of each may be of another kind.
/// </summary>
internal sealed class LabelKeys(string source)
{
    private readonly SortedSet<string> _taken = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _others = new(StringComparer.Ordinal);

    /// <param name="found">All that may hold the label, the one that is taken first.</param>
    public void Add(IReadOnlyList<string> found)
    {
        if (found.Count == 0)
            return;
        _taken.Add(found[0]);
        for (var i = 1; i < found.Count; i++)
            _others.Add(found[i]);
    }

    public void Note(ProblemList problems)
    {
        var others = _others.Except(_taken).ToList();
        if (_taken.Count > 1)
            problems.Add(source, $"its labels come from several places: {Quoted(_taken)}; the option for the label column names one");
        else if (others.Count > 0)
            problems.Add(
                source,
                $"{Quoted(others)} may hold labels too; '{_taken.First()}' is taken, the option for the label column names another"
            );
    }

    private static string Quoted(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"'{name}'"));
}
