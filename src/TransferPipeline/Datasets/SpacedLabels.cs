namespace TransferPipeline.Datasets;

/// <summary>
/// Labels of a table are taken without the spaces around them. Where a class is written with and without, one line states that it is one
/// class.
/// </summary>
internal sealed class SpacedLabels(ProblemList problems)
{
    private readonly Dictionary<string, bool> _first = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _noted = new(StringComparer.Ordinal);

    /// <param name="label">Without spaces around it.</param>
    /// <param name="hasSpaces">Whether there were some.</param>
    public void Add(string label, bool hasSpaces)
    {
        if (label.Length == 0 || _first.TryAdd(label, hasSpaces) || _first[label] == hasSpaces || !_noted.Add(label))
            return;
        problems.Add(label, "the class is written with and without spaces around its name; they are taken as one class");
    }
}
