using System.Text.Json;
using TransferPipeline.Datasets;

namespace TransferPipeline.Evaluation;

/// <summary>One head of a comparison that was written as JSON, with all that training it again takes.</summary>
/// <param name="Parameters">Its settings as text, defaults and chosen values included.</param>
/// <param name="Folder">The feature set, as the comparison's command named it.</param>
/// <param name="Recipe">The feature set's recipe, as names and values.</param>
/// <param name="Counts">Photos of the feature set by split and class.</param>
/// <param name="PhotosSha256">Of those photos; null in comparisons of earlier versions.</param>
internal sealed record ComparedHead(
    string Name,
    string Title,
    IReadOnlyDictionary<string, string> Parameters,
    string Folder,
    IReadOnlyDictionary<string, string> Recipe,
    IReadOnlyDictionary<string, int[]> Counts,
    string? PhotosSha256,
    TrainingSplits Training,
    int Seed
)
{
    /// <param name="file">What <see cref="ComparisonJson"/> wrote.</param>
    /// <param name="wanted">A head's name, or what the comparison calls it (short, as requested, with chosen values); null for the most
    /// accurate head.</param>
    /// <exception cref="BadInputException">The file is not there or not a comparison.</exception>
    /// <exception cref="UsageException">It has no such head, or several of the name.</exception>
    public static ComparedHead Read(string file, string? wanted)
    {
        if (!File.Exists(file))
            throw new BadInputException($"there is no file {file}; 'transfer compare --json' and 'transfer run' write comparisons");
        try
        {
            var bytes = File.ReadAllBytes(file);
            if (MagicNumbers.NameOf(bytes) is { } kind)
                throw new BadInputException($"{file} is {kind}; expected a comparison (JSON)");
            return Of(ComparisonJson.Deserialize(bytes), file, wanted);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentOutOfRangeException)
        {
            // A damaged file fails in three ways: JSON of another shape,
            // a number where text is expected, an index beyond a list.
            throw new BadInputException($"{file}: not a comparison that this version wrote ({e.Message.TrimEnd('.')})", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{file}: cannot be read: {e.Message}", e);
        }
    }

    private static ComparedHead Of(Comparison comparison, string file, string? wanted)
    {
        var head = Pick(comparison.Heads, file, wanted);
        var set = comparison.Provenance.FeatureSets[head.FeatureSet];
        return new(
            head.Name,
            head.ChosenTitle,
            head.Parameters,
            set.Folder,
            set.Recipe,
            comparison.Data.Counts,
            comparison.Data.PhotosSha256,
            comparison.Training,
            comparison.Provenance.Seed
        );
    }

    private static HeadResult Pick(IReadOnlyList<HeadResult> heads, string file, string? wanted)
    {
        if (heads.Count == 0)
            throw new BadInputException($"{file}: a comparison without heads");
        if (wanted is null)
            return heads[Verdict.MostAccurate([.. heads.Select(h => h.Accuracy.Value)])];
        // A short name is unique.
        // Two sweeps can choose the same value and share a chosen title, so that one comes last.
        foreach (var title in (Func<HeadResult, string>[])[static h => h.ShortName, static h => h.Title, static h => h.ChosenTitle])
        {
            if (heads.FirstOrDefault(h => title(h) == wanted) is { } head)
                return head;
        }

        var titles = heads.Select(h => h.ShortName).ToArray();
        var named = heads.Where(h => h.Name == wanted).ToArray();
        return named.Length switch
        {
            1 => named[0],
            0 => throw new UsageException(
                $"{file} has no head '{wanted}'{NearestName.Hint(wanted, titles)} (heads: {string.Join("; ", titles)})"
            ),
            _ => throw new UsageException(
                $"{file} has {named.Length} heads '{wanted}'; name one of: {string.Join("; ", named.Select(h => $"'{h.ShortName}'"))}"
            ),
        };
    }
}
