using System.Text.Json;
using System.Text.Json.Serialization;
using TransferPipeline.Features;

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
        if (!File.Exists(file) || !File.Exists(_request.File) || !File.Exists(Tuning.TunedModelFile.ManifestFile(_request.File)))
            return null;
        if (_request.Classifier is { } classifier && !File.Exists(classifier))
            return null;
        try
        {
            var stored = JsonSerializer.Deserialize(File.ReadAllBytes(file), FinetuneJson.Default.StoredResult);
            // By hash, not by name: a file that was replaced since then has to be written again.
            return
                stored?.Key == key
                && stored.Result.File == Path.GetFullPath(_request.File)
                && stored.Result.Classifier == _request.Classifier
                && DurableFile.Hash(_request.File).Sha256 == stored.Result.Sha256
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
        DurableFile.WriteText(ResultFile(_request), JsonSerializer.Serialize(new(key, result), FinetuneJson.Default.StoredResult) + "\n");
}

/// <param name="Key">Of all that the result depends on.</param>
internal sealed record StoredResult(string Key, FinetuneResult Result);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StoredResult))]
internal sealed partial class FinetuneJson : JsonSerializerContext;
