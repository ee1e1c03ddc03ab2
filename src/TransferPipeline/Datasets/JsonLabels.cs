using System.Text.Json;

namespace TransferPipeline.Datasets;

/// <summary>Labels out of JSON objects.</summary>
internal static class JsonLabels
{
    /// <summary>A key that is there twice is refused: one of its values would be taken without a word.</summary>
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Takes something out of a JSON text.</summary>
    /// <param name="expected">What the text should be.</param>
    /// <exception cref="BadInputException">It is not JSON, or has what is no text.</exception>
    public static T Read<T>(string where, string text, string expected, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Strict);
            return read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new BadInputException($"{where}: not valid JSON ({e.Message}); expected {expected}", e);
        }
        // System.Text.Json's answer to an escape such as \uD800, half a character, which JSON's grammar allows.
        catch (InvalidOperationException e)
        {
            throw new BadInputException($"{where}: holds what is no text ({e.Message}); expected {expected}", e);
        }
    }

    /// <summary>The value under the first of the keys that is there, as text; null where there is none.</summary>
    /// <param name="what">What it is for messages.</param>
    /// <exception cref="BadInputException">It is a list or an object: several labels.</exception>
    public static string? Of(string where, JsonElement element, IEnumerable<string> keys, string what = "label")
    {
        foreach (var key in keys)
        {
            if (element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null)
                return Text(where, key, value, what);
        }

        return null;
    }

    /// <summary>The keys that are there with a value.</summary>
    public static List<string> Found(JsonElement element, IEnumerable<string> keys) =>
        [.. keys.Where(key => element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null)];

    public static string Text(string where, string key, JsonElement value, string what = "label") =>
        value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number => WholeNumber.Of(value.GetRawText()),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => throw new BadInputException(
                $"{where}: '{key}' holds {(value.ValueKind == JsonValueKind.Array ? "a list" : "an object")}; expected one {what} "
                    + $"per photo, a text or a number"
            ),
        };
}
