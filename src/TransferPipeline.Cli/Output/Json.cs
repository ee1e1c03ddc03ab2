using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using TransferPipeline.Evaluation;

namespace TransferPipeline.Cli.Output;

/// <summary>JSON of the command: snake_case names, NaN as null, indented.</summary>
internal static class Json
{
    public static JsonSerializerOptions Options { get; } =
        new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            WriteIndented = true,
            // The output is no part of a web page: names in other scripts stay readable.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            Converters = { new NullForNaN(), new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        };

    public static void Write(object value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, value.GetType(), Options));
}
