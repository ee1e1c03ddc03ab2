namespace TransferPipeline;

/// <summary>
/// "Did you mean": the valid name nearest to a misspelt one (Damerau-Levenshtein distance, restricted), or one that is shorter or longer by
/// whole words, cut off, or made of first letters: --batch-size for --batch, --out for --output, --lr for --learning-rate.
/// </summary>
internal static class NearestName
{
    // Edits that another form counts as: two letters that are wrong.
    private const int OtherForm = 2;

    /// <returns>The nearest of <paramref name="candidates"/>, or null when none is within a third of the length.</returns>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        var bestDistance = int.MaxValue;
        foreach (var candidate in candidates)
        {
            var (given, valid) = (name.ToLowerInvariant(), candidate.ToLowerInvariant());
            var distance = Distance(given, valid);
            if (distance > OtherForm && (IsOtherForm(given, valid) || IsOtherForm(valid, given)))
                distance = OtherForm;
            if (distance < bestDistance)
                (best, bestDistance) = (candidate, distance);
        }

        // As many edits as letters make any name of any other.
        if (bestDistance >= Math.Max(name.Length, best?.Length ?? 0))
            return null;
        // Below six letters a third would allow one edit at most, too few for two letters that are wrong.
        return best is not null && bestDistance <= Math.Max(2, Math.Max(name.Length, best.Length) / 3) ? best : null;
    }

    /// <returns><c>; did you mean 'x'?</c>, or an empty string.</returns>
    public static string Hint(string name, IEnumerable<string> candidates) =>
        Of(name, candidates) is { } nearest ? $"; did you mean '{nearest}'?" : "";

    private static bool IsOtherForm(string shorter, string longer)
    {
        var (some, all) = (Words(shorter), Words(longer));
        if (some.Length == 0 || some.Length > all.Length)
            return false;
        if (some.Length == 1 && some[0].Length > 1 && some[0] == string.Concat(all.Select(w => w[0])))
            return true;
        if (some.Length == 1 && all.Length == 1)
            return some[0].Length >= 3 && all[0].StartsWith(some[0], StringComparison.Ordinal);
        return some.All(w => w.Length >= 3 && all.Contains(w));
    }

    private static string[] Words(string name) => name.Split(['-', '_', ' '], StringSplitOptions.RemoveEmptyEntries);

    private static int Distance(string a, string b)
    {
        // Three rows suffice: a swap of two letters looks back two rows, everything else one.
        var rows = new int[3][];
        for (var r = 0; r < 3; r++)
            rows[r] = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
            rows[0][j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            var (current, above, twoAbove) = (rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3]);
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1], above[j]) + 1, above[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    current[j] = Math.Min(current[j], twoAbove[j - 2] + 1);
            }
        }

        return rows[a.Length % 3][b.Length];
    }
}
