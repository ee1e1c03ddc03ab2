using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace TransferPipeline.Evaluation;

/// <summary>
/// A comparison as JSON: snake_case names; an interval is three numbers (accuracy, accuracy_low, accuracy_high); what is not a number
/// is null; a head's parameters are numbers and flags where they read as such; the values of a sweep are numbers or names. The same
/// comparison gives the same bytes but for what ends in _seconds.
/// </summary>
internal static class ComparisonJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        // A null where text is expected is refused while the file is read, not by a NullReferenceException later.
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { FlattenIntervals, TypeParameters } },
        Converters = { new NullForNaN(), new NumberOrName() },
    };

    public static string Serialize(Comparison comparison) => JsonSerializer.Serialize(comparison, Options);

    /// <summary>Reads what <see cref="Serialize"/> wrote.</summary>
    /// <exception cref="JsonException">The text is no comparison.</exception>
    public static Comparison Deserialize(ReadOnlySpan<byte> json)
    {
        var comparison =
            JsonSerializer.Deserialize<Comparison>(json, Options) ?? throw new JsonException("a comparison is an object, this is null");
        // The serializer's check of nulls covers properties, not the elements of lists.
        return comparison.Heads.Contains(null!) || comparison.Provenance.FeatureSets.Contains(null!)
            ? throw new JsonException("a head or a feature set is null")
            : comparison;
    }

    /// <summary>Replaces each property of type <see cref="ConfidenceInterval"/> by its value, low and high.</summary>
    private static void FlattenIntervals(JsonTypeInfo type)
    {
        // Backwards: an interval becomes three properties, which would shift those that are still to come.
        for (var i = type.Properties.Count - 1; i >= 0; i--)
        {
            if (type.Properties[i] is not { } property || property.PropertyType != typeof(ConfidenceInterval))
                continue;
            var (get, set) = (property.Get!, property.Set!);
            (string Suffix, Func<ConfidenceInterval, double> Part, Func<ConfidenceInterval, double, ConfidenceInterval> With)[] parts =
            [
                ("", static v => v.Value, static (v, part) => v with { Value = part }),
                ("_low", static v => v.Low, static (v, part) => v with { Low = part }),
                ("_high", static v => v.High, static (v, part) => v with { High = part }),
            ];
            type.Properties.RemoveAt(i);
            for (var p = 0; p < parts.Length; p++)
            {
                var (_, part, with) = parts[p];
                var flat = type.CreateJsonPropertyInfo(typeof(double), property.Name + parts[p].Suffix);
                flat.Get = o => part((ConfidenceInterval)get(o)!);
                // A reader sets the three parts one by one: each changes the interval that the earlier ones have left.
                flat.Set = (o, value) => set(o, with((ConfidenceInterval)get(o)!, (double)value!));
                flat.IsRequired = property.IsRequired;
                type.Properties.Insert(i + p, flat);
            }
        }
    }

    private static void TypeParameters(JsonTypeInfo type)
    {
        // Heads alone: a version such as 1.10 and the values of a recipe must stay the texts that they are compared by.
        if (type.Type == typeof(HeadResult))
            type.Properties.First(p => p.PropertyType == typeof(IReadOnlyDictionary<string, string>)).CustomConverter = new TypedValues();
    }

    private sealed class NumberOrName : JsonConverter<SweepValue>
    {
        public override SweepValue Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String ? reader.GetString()! : reader.GetDouble();

        public override void Write(Utf8JsonWriter writer, SweepValue value, JsonSerializerOptions options)
        {
            if (value.Name is { } name)
                writer.WriteStringValue(name);
            else
                writer.WriteNumberValue(value.Number);
        }
    }

    private sealed class TypedValues : JsonConverter<IReadOnlyDictionary<string, string>>
    {
        /// <summary>Numbers and flags as they stand in the file, texts without their quotes.</summary>
        public override IReadOnlyDictionary<string, string> Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
        {
            var values = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var p in JsonElement.ParseValue(ref reader).EnumerateObject())
            {
                var text = p.Value.ValueKind == JsonValueKind.String ? p.Value.GetString()! : p.Value.GetRawText();
                // Two values of one option would export another head than the one that was compared.
                if (!values.TryAdd(p.Name, text))
                    throw new JsonException($"the parameter '{p.Name}' is given twice");
            }

            return values;
        }

        public override void Write(Utf8JsonWriter writer, IReadOnlyDictionary<string, string> value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            foreach (var (name, text) in value)
            {
                writer.WritePropertyName(name);
                if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
                    writer.WriteNumberValue(number);
                else if (text is "true" or "false")
                    writer.WriteBooleanValue(text == "true");
                else
                    writer.WriteStringValue(text);
            }

            writer.WriteEndObject();
        }
    }
}

/// <summary>A number that is not finite as null: JSON has neither NaN nor infinity.</summary>
internal sealed class NullForNaN : JsonConverter<double>
{
    public override bool HandleNull => true;

    public override double Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteNullValue();
    }
}
