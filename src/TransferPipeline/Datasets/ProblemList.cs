namespace TransferPipeline.Datasets;

/// <summary>Collects problems; of each kind the first few are listed one by one, the rest are counted.</summary>
internal sealed class ProblemList
{
    private const int ListedOfAKind = 20;

    private readonly List<DatasetProblem> _listed = [];
    private readonly SortedDictionary<string, (int Count, string Path)> _kinds = new(StringComparer.Ordinal);

    /// <param name="kind">What the problem is, the same text for all of its kind.</param>
    /// <param name="detail">What is special to this one.</param>
    public void Add(string path, string kind, string detail = "")
    {
        var count = _kinds.GetValueOrDefault(kind).Count + 1;
        _kinds[kind] = (count, path);
        if (count <= ListedOfAKind)
            _listed.Add(new DatasetProblem(path, kind + detail));
    }

    public IReadOnlyList<DatasetProblem> ToList() =>
        [
            .. _listed,
            .. _kinds
                .Where(kind => kind.Value.Count > ListedOfAKind)
                .Select(kind => new DatasetProblem(
                    "",
                    $"{kind.Key}: {kind.Value.Count - ListedOfAKind:N0} more, the last is {kind.Value.Path}"
                )),
        ];
}
