using System.Text.Json;

namespace TransferPipeline.Evaluation;

/// <summary>One head of a comparison that was written as JSON, with all that training it again takes.</summary>
/// <param name="Parameters">Its settings as text, defaults and chosen values included.</param>
/// <param name="Folder">The feature set, as the comparison's command named it.</param>
/// <param name="Recipe">The feature set's recipe, as names and values.</param>
/// <param name="Counts">Photos of the feature set by split and class.</param>
public sealed record ComparedHead(
    string Name, string Title, IReadOnlyDictionary<string, string> Parameters, string Folder, IReadOnlyDictionary<string, string> Recipe,
    IReadOnlyDictionary<string, int[]> Counts, TrainingSplits Training, int Seed)
{
    /// <param name="file">What <see cref="ComparisonJson"/> wrote.</param>
    /// <param name="wanted">A head's name, or what the comparison calls it (short, as asked for, with chosen values); null for the most accurate head.</param>
    /// <exception cref="BadInputException">The file is not there or not a comparison.</exception>
    /// <exception cref="UsageException">It has no such head, or several of the name.</exception>
    public static ComparedHead Read(string file, string? wanted)
    {
        if (!File.Exists(file))
            throw new BadInputException($"there is no file {file}; 'transfer compare --json' and 'transfer run' write comparisons");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            return Read(document.RootElement, file, wanted);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new BadInputException($"{file}: not a comparison that this version wrote ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static ComparedHead Read(JsonElement root, string file, string? wanted)
    {
        var heads = root.GetProperty("heads").EnumerateArray().ToArray();
        var head = Pick(heads, file, wanted);
        var provenance = root.GetProperty("provenance");
        var set = provenance.GetProperty("feature_sets")[head.GetProperty("feature_set").GetInt32()];
        var training = root.GetProperty("training");
        return new(
            Text(head, "name"), Text(head, "chosen_title"), Texts(head.GetProperty("parameters")), Text(set, "folder"), Texts(set.GetProperty("recipe")),
            root.GetProperty("data").GetProperty("counts").EnumerateObject().ToDictionary(c => c.Name, c => c.Value.EnumerateArray().Select(n => n.GetInt32()).ToArray()),
            new([.. training.GetProperty("splits").EnumerateArray().Select(s => s.GetString()!)], training.GetProperty("watched").GetString()),
            provenance.GetProperty("seed").GetInt32());
    }

    private static JsonElement Pick(JsonElement[] heads, string file, string? wanted)
    {
        if (heads.Length == 0)
            throw new BadInputException($"{file}: a comparison without heads");
        if (wanted is null)
            return heads.MaxBy(h => h.GetProperty("accuracy").GetDouble());
        foreach (var key in (string[])["short_name", "title", "chosen_title"])
        {
            if (Array.FindIndex(heads, h => Text(h, key) == wanted) is >= 0 and var index)
                return heads[index];
        }

        var titles = heads.Select(h => Text(h, "short_name")).ToArray();
        var named = heads.Where(h => Text(h, "name") == wanted).ToArray();
        return named.Length switch
        {
            1 => named[0],
            0 => throw new UsageException($"{file} has no head '{wanted}'{NearestName.Hint(wanted, titles)} (heads: {string.Join("; ", titles)})"),
            _ => throw new UsageException($"{file} has {named.Length} heads '{wanted}'; name one of: {string.Join("; ", named.Select(h => $"'{Text(h, "short_name")}'"))}"),
        };
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    /// <summary>Numbers and flags as they stand in the file, texts without their quotes.</summary>
    private static Dictionary<string, string> Texts(JsonElement element) =>
        element.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ValueKind == JsonValueKind.String ? p.Value.GetString()! : p.Value.GetRawText());
}
