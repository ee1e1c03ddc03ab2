using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace TransferPipeline.Tests.Pipelines;

/// <summary>The part of JSON Schema that pipeline.schema.json uses, without references.</summary>
internal static class SchemaForm
{
    public static bool Takes(JsonNode form, JsonNode value) =>
        form["oneOf"]?.AsArray().Any(f => Takes(f!, value))
        ?? (
            IsOfType((string?)form["type"], value)
            && (form["enum"]?.AsArray().Any(word => JsonNode.DeepEquals(word, value)) ?? true)
            && value switch
            {
                JsonArray list => IsOfLength(form, list) && list.All(item => form["items"] is not { } items || Takes(items, item!)),
                JsonObject map => form["required"]?.AsArray().All(key => map.ContainsKey((string)key!)) != false
                    && map.All(p => form["properties"]?[p.Key] is { } property && Takes(property, p.Value!)),
                _ when value.GetValueKind() == JsonValueKind.Number => (double)value >= ((double?)form["minimum"] ?? double.MinValue)
                    && (double)value <= ((double?)form["maximum"] ?? double.MaxValue)
                    && (double)value > ((double?)form["exclusiveMinimum"] ?? double.MinValue),
                _ when value.GetValueKind() == JsonValueKind.String => Regex.IsMatch((string)value!, (string?)form["pattern"] ?? "")
                    && ((string)value!).Length >= ((int?)form["minLength"] ?? 0),
                _ => true,
            }
        );

    private static bool IsOfType(string? type, JsonNode value) =>
        (type, value.GetValueKind()) switch
        {
            (null, _) => true,
            ("string", JsonValueKind.String) or ("array", JsonValueKind.Array) or ("object", JsonValueKind.Object) => true,
            ("boolean", JsonValueKind.True or JsonValueKind.False) or ("number", JsonValueKind.Number) => true,
            ("integer", JsonValueKind.Number) => double.IsInteger((double)value),
            _ => false,
        };

    private static bool IsOfLength(JsonNode form, JsonArray list) =>
        list.Count >= ((int?)form["minItems"] ?? 0) && list.Count <= ((int?)form["maxItems"] ?? int.MaxValue);
}
