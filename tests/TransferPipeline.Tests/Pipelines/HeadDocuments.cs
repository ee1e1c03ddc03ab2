using System.Globalization;
using System.Text;
using System.Text.Json;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.MicrosoftML;
using TransferPipeline.TorchSharp;

namespace TransferPipeline.Tests.Pipelines;

/// <summary>What the records of heads make of pipelines/pipeline.schema.json and docs/heads.md.</summary>
internal static class HeadDocuments
{
    /// <summary>The library's heads, then those of the adapters.</summary>
    public static IReadOnlyList<IHeadTrainer> Trainers { get; } =
    [.. HeadCatalog.Trainers, .. MicrosoftMLHeads.Trainers, .. TorchHeads.Trainers];

    /// <summary>The schema with the definition of heads as the records have it.</summary>
    public static string Schema(string committed)
    {
        const string Start = "    \"head\": {\n",
            End = "    \"augmentation\": {\n";
        var (start, end) = (committed.IndexOf(Start, StringComparison.Ordinal), committed.IndexOf(End, StringComparison.Ordinal));
        var made = new StringBuilder(Start).Append("      \"anyOf\": [\n        {\n          \"enum\": [\n");
        made.AppendJoin(",\n", Trainers.Select(t => $"            {Quote(t.Name)}"));
        made.Append(
            "\n          ]\n        },\n        {\n          \"type\": \"object\",\n          \"minProperties\": 1,\n          "
                + "\"maxProperties\": 1,\n          \"properties\": {\n"
        );
        made.AppendJoin(",\n", Trainers.Select(Head));
        made.Append("\n          },\n          \"additionalProperties\": false\n        }\n      ]\n    },\n");
        return committed[..start] + made + committed[end..];
    }

    /// <summary>The page with the tables of options as the records have them.</summary>
    public static string Page(string committed)
    {
        const string Start = "<!-- options of all heads, made from their records -->\n",
            End = "<!-- end of the options -->\n";
        var (start, end) = (
            committed.IndexOf(Start, StringComparison.Ordinal) + Start.Length,
            committed.IndexOf(End, StringComparison.Ordinal)
        );
        var made = new StringBuilder();
        foreach (var trainer in Trainers)
        {
            made.Append(
                CultureInfo.InvariantCulture,
                $"\n### {trainer.Name}\n\n| option | default | values | what it does |\n|---|---|---|---|\n"
            );
            foreach (var option in trainer.Options)
                made.Append(
                    CultureInfo.InvariantCulture,
                    $"| `{option.Name}` | `{option.DefaultText}` | "
                        + $"{option.DescribeValues().Replace("|", "\\|", StringComparison.Ordinal)} | {option.Help} |\n"
                );
        }

        return committed[..start] + made + "\n" + committed[end..];
    }

    private static string Head(IHeadTrainer trainer)
    {
        var options = trainer
            .Options.Select(Option)
            .Append(
                "                \"optional\": {\"type\": \"boolean\", \"description\": \"Leave the head out where its package is "
                    + "absent.\"}"
            );
        return $"            {Quote(trainer.Name)}: {{\n              \"description\": {Quote(trainer.Summary)},\n              "
            + $"\"type\": [\"object\", \"null\"],\n"
            + $"              \"properties\": {{\n{string.Join(",\n", options)}\n              }},\n              "
            + $"\"additionalProperties\": false\n            }}";
    }

    private static string Option(DeclaredOption option)
    {
        var description = $"                  \"description\": {Quote($"{option.Help}; default {option.DefaultText}")}";
        var values = Values(option);
        return $"                {Quote(option.Name)}: "
            + $"{{\n{description}{(values.Length > 0 ? $",\n                  \"anyOf\": [{string.Join(", ", values)}]" : "")}\n      "
            + $"          }}";
    }

    private static string[] Values(DeclaredOption option)
    {
        const string Sweep = "{\"$ref\": \"#/definitions/sweep\"}",
            Text = "{\"$ref\": \"#/definitions/numberText\"}";
        return option.Kind switch
        {
            OptionKind.Choice => [$"{{\"enum\": [{string.Join(", ", option.Choices.Select(Quote))}]}}", Sweep],
            OptionKind.Flag => ["{\"type\": \"boolean\"}", "{\"enum\": [\"true\", \"false\", \"True\", \"False\"]}", Sweep],
            OptionKind.Integer or OptionKind.Number =>
            [
                $"{{\"type\": \"{(option.Kind == OptionKind.Integer ? "integer" : "number")}\""
                    + Limit(option.ExclusiveMin ? "exclusiveMinimum" : "minimum", option.Min)
                    + $"{Limit("maximum", option.Max)}}}",
                Text,
                Sweep,
            ],
            _ => [],
        };
    }

    private static string Limit(string name, double value) =>
        double.IsFinite(value)
            ? FormattableString.Invariant($", \"{name}\": {value.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant()}")
            : "";

    private static string Quote(string text) => JsonSerializer.Serialize(text, Relaxed);

    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
