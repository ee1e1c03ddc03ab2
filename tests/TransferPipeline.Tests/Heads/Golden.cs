using System.Text.Json;

namespace TransferPipeline.Tests.Heads;

/// <summary>Values that other tools computed; the script of the same name in tests/rivals/goldens made them.</summary>
internal static class Golden
{
    public static JsonElement Read(string name) =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(SharedData.Repository, "tests", "rivals", "goldens", name + ".json"))).RootElement;

    public static float[] Floats(this JsonElement element, string name) =>
        [.. Flatten(element.GetProperty(name)).Select(e => e.GetSingle())];

    public static int[] Integers(this JsonElement element, string name) =>
        [.. Flatten(element.GetProperty(name)).Select(e => e.GetInt32())];

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).ToString();

    private static IEnumerable<JsonElement> Flatten(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? element.EnumerateArray().SelectMany(Flatten) : [element];
}
