using System.Text.Json;

namespace TransferPipeline.Backbones.Store;

/// <summary>
/// Values of a JSON configuration. One of another type means something to the tool that wrote it, so that it is an error that names the key
/// and never becomes the default without a word.
/// </summary>
internal static class ConfigValues
{
    /// <summary>Null where it is null or not there.</summary>
    public static JsonElement? Value(this JsonElement config, string key) =>
        config.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>0 is false to Python, but no writer writes it.</summary>
    public static bool Flag(this JsonElement config, string key, bool absent) =>
        config.Value(key) is not { } value ? absent
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw Wrong(key, value, "true or false");

    public static double? Number(this JsonElement config, string key) =>
        config.Value(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number ? value.GetDouble()
        : throw Wrong(key, value, "a number");

    public static string? Text(this JsonElement config, string key) =>
        config.Value(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw Wrong(key, value, "text");

    /// <summary>Null also where the value is no object: other tools use the same names for other things.</summary>
    public static JsonElement? Object(this JsonElement config, string key) =>
        config.Value(key) is { ValueKind: JsonValueKind.Object } value ? value : null;

    /// <summary>One side in pixels.</summary>
    public static int Side(this JsonElement config, string key) =>
        config.Value(key) is { } value ? Side(key, value) : throw new FormatException($"{key} is missing");

    /// <summary>A square's side, [height, width], or an object with height and width or shortest_edge; null when it is not there.</summary>
    public static (int Height, int Width)? Sides(this JsonElement config, string key) =>
        config.Value(key) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Number } side => (Side(key, side), Side(key, side)),
            { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() == 2 => (Side(key, list[0]), Side(key, list[1])),
            { ValueKind: JsonValueKind.Object } size when size.Value("height") is not null => (size.Side("height"), size.Side("width")),
            { ValueKind: JsonValueKind.Object } size when size.Value("shortest_edge") is not null => (
                size.Side("shortest_edge"),
                size.Side("shortest_edge")
            ),
            { } other => throw Wrong(key, other, "sides in pixels"),
        };

    /// <summary>One number for each of red, green and blue, or one for all.</summary>
    public static double[] Channels(this JsonElement config, string key)
    {
        if (config.Value(key) is not { } value)
            throw new FormatException($"{key} is missing");
        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        if (items.Length is not (1 or 3))
            throw new FormatException($"{key} has {items.Length} values, expected 3");
        if (Array.Exists(items, item => item.ValueKind != JsonValueKind.Number))
            throw Wrong(key, value, "numbers");
        return [.. Enumerable.Range(0, 3).Select(c => items[items.Length == 1 ? 0 : c].GetDouble())];
    }

    /// <param name="key">The key that an error names.</param>
    public static int Side(string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var side) ? side : throw Wrong(key, value, "sides in pixels");

    private static FormatException Wrong(string key, JsonElement value, string expected) =>
        new($"{key} is {value.GetRawText()}, expected {expected}");
}
