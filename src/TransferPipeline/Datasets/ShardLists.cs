using System.Text.Json;

namespace TransferPipeline.Datasets;

/// <summary>
/// Lists of archives in JSON beside them, as webdataset's tools write them: <c>{"shardlist": [{"url": "train-000000.tar"}]}</c> and
/// <c>sizes.json</c>, <c>{"train-000000.tar": 1000}</c>.
/// </summary>
internal static class ShardLists
{
    /// <summary>Bytes of a file that is read as a list.</summary>
    private const long LongestFile = 16 << 20;

    /// <summary>Notes archives that a list names and that are not there.</summary>
    /// <param name="files">Names of the archives, from the folder.</param>
    public static void Note(string path, FoundFiles found, IReadOnlyList<string> files, ProblemList problems)
    {
        var there = files.Select(file => Path.GetFileName(file)).ToHashSet(StringComparer.Ordinal);
        var lists = found
            .Files.Where(file => file.Path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && file.Unusable is null)
            // A pipe has no length; reading it could wait for ever.
            .Where(file => file.Bytes is > 0 and <= LongestFile && LeftBehind.FolderOf(file.Path) is null)
            .OrderBy(file => file.Path, StringComparer.Ordinal);
        foreach (var list in lists)
        {
            var missing = Names(Path.Combine(path, list.Path)).Where(name => !there.Contains(name)).Distinct().ToList();
            if (missing.Count > 0)
                problems.Add(
                    list.Path,
                    $"{missing.Count:N0} archives that it lists are not there: {FewNames.Of(missing)}; their photos are missing"
                );
        }
    }

    /// <summary>The archives that a file lists; none where it is no such list.</summary>
    private static List<string> Names(string file)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return [];
            var names =
                document.RootElement.TryGetProperty("shardlist", out var shards) && shards.ValueKind == JsonValueKind.Array
                    ? shards.EnumerateArray().Select(UrlOf)
                    : document.RootElement.EnumerateObject().Select(member => member.Name);
            return [.. names.OfType<string>().Where(TarDataset.IsTar).Select(name => name[(name.LastIndexOf('/') + 1)..])];
        }
        // What is not read as data need not be JSON, nor be readable.
        catch (Exception e) when (e is JsonException or InvalidOperationException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string? UrlOf(JsonElement shard) =>
        shard.ValueKind == JsonValueKind.Object && shard.TryGetProperty("url", out var url) && url.ValueKind == JsonValueKind.String
            ? url.GetString()
            : null;
}
