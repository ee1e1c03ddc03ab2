using System.Text.Json;

namespace TransferPipeline.Tests.Datasets;

/// <summary>Makes Parquet files of the shape that Hugging Face's datasets library writes.</summary>
internal static class HuggingFaceFiles
{
    /// <summary>Photos by pattern with labels from their folders; paths are from <paramref name="root"/>.</summary>
    /// <param name="image">SQL of the image column; null for bytes and path.</param>
    public static void Write(string file, string pattern, string root, string? image = null)
    {
        string[] names = [.. Directory.GetDirectories(Path.Combine(root, "train")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
        var list = string.Join(", ", names.Select(name => $"'{name}'"));
        image ??= $"{{bytes: content, path: filename[{root.Length + 2}:]}}";
        Run($"COPY (SELECT {image} AS image, list_position([{list}], split_part(filename, '/', -2)) - 1 AS label "
            + $"FROM read_blob('{pattern}') ORDER BY filename) TO '{file}' (FORMAT parquet, KV_METADATA {{huggingface: '{Metadata(names)}'}})");
    }

    public static string Metadata(string[] names) => JsonSerializer.Serialize(new
    {
        info = new { features = new { image = new { _type = "Image" }, label = new { names, _type = "ClassLabel" } } },
    });

    public static void Run(string sql)
    {
        Assert.Skip($"no writer for: {sql}");
    }
}
