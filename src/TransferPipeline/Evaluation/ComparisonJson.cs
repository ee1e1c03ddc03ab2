using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace TransferPipeline.Evaluation;

/// <summary>
/// A comparison as JSON: snake_case names; an interval is three numbers (accuracy, accuracy_low, accuracy_high); what is not a number
/// is null; a head's parameters are numbers and flags where they read as such; the values of a sweep are numbers or names. The same comparison gives the same bytes but for what ends in _seconds.
/// </summary>
public static class ComparisonJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { FlattenIntervals, TypeParameters } },
        Converters = { new NullForNaN(), new NumberOrName() },
    };

    public static string Serialize(Comparison comparison) => JsonSerializer.Serialize(comparison, Options);

    /// <summary>Replaces each property of type <see cref="Interval"/> by its value, low and high.</summary>
    private static void FlattenIntervals(JsonTypeInfo type)
    {
        for (var i = type.Properties.Count - 1; i >= 0; i--)
        {
            if (type.Properties[i] is not { } property || property.PropertyType != typeof(Interval))
                continue;
            var get = property.Get!;
            (string Suffix, Func<Interval, double> Part)[] parts = [("", static v => v.Value), ("_low", static v => v.Low), ("_high", static v => v.High)];
            type.Properties.RemoveAt(i);
            for (var p = 0; p < parts.Length; p++)
            {
                var part = parts[p].Part;
                var flat = type.CreateJsonPropertyInfo(typeof(double), property.Name + parts[p].Suffix);
                flat.Get = o => part((Interval)get(o)!);
                type.Properties.Insert(i + p, flat);
            }
        }
    }

    private static void TypeParameters(JsonTypeInfo type)
    {
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
        public override IReadOnlyDictionary<string, string> Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            throw new NotSupportedException("comparisons are written, not read");

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

    private sealed class NullForNaN : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            throw new NotSupportedException("comparisons are written, not read");

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (double.IsFinite(value))
                writer.WriteNumberValue(value);
            else
                writer.WriteNullValue();
        }
    }
}
