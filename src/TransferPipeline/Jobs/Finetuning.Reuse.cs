using System.Text.Json;
using System.Text.Json.Serialization;
using TransferPipeline.Features;
using TransferPipeline.Tuning;

namespace TransferPipeline.Jobs;

/// <content>A result that is there already is not computed again.</content>
internal sealed partial class Finetuning
{
    /// <summary>The JSON file of a result: history of loss and accuracy, scores, options by their key.</summary>
    public static string ResultFile(FinetuneRequest request) =>
        Path.Combine(request.CacheFolder, Path.GetFileNameWithoutExtension(request.File) + ".json");

    /// <summary>What an earlier run of the same key wrote, if its files are still what it wrote; null otherwise.</summary>
    private FinetuneResult? EarlierResult(string key)
    {
        var file = ResultFile(_request);
        if (!File.Exists(file))
            return null;
        try
        {
            var stored = JsonSerializer.Deserialize(File.ReadAllBytes(file), FinetuneJson.Default.StoredResult);
            // By hash, not by name: a file that was replaced since then has to be written again.
            return
                stored?.Key == key
                && stored.Result.File == Path.GetFullPath(_request.File)
                && stored.Result.Classifier == _request.Classifier
                && HashOf(_request.File) == stored.Result.Sha256
                && HashOf(TunedModelFile.ManifestFile(_request.File)) == stored.ManifestSha256
                && HashOf(_request.Classifier) == stored.ClassifierSha256
                ? stored.Result
                : null;
        }
        catch (JsonException)
        {
            // Written by another version, or cut short: the result is computed anew.
            return null;
        }
    }

    private void Store(string key, FinetuneResult result) =>
        DurableFile.WriteText(
            ResultFile(_request),
            JsonSerializer.Serialize(
                new(key, result, HashOf(TunedModelFile.ManifestFile(result.File)), HashOf(result.Classifier)),
                FinetuneJson.Default.StoredResult
            ) + "\n"
        );

    /// <summary>SHA-256 of a file; null where there is none.</summary>
    private static string? HashOf(string? file) => File.Exists(file) ? DurableFile.Hash(file).Sha256 : null;
}

/// <param name="Key">Of all that the result depends on.</param>
/// <param name="ManifestSha256">Of the tuned backbone's manifest.</param>
/// <param name="ClassifierSha256">Of the classifier; null without one.</param>
internal sealed record StoredResult(string Key, FinetuneResult Result, string? ManifestSha256, string? ClassifierSha256);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StoredResult))]
internal sealed partial class FinetuneJson : JsonSerializerContext;
