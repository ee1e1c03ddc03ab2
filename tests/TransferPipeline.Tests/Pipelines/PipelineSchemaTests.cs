using System.Text.Json.Nodes;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Pipelines;

/// <summary>What pipelines/pipeline.schema.json lets an editor complete is what the program takes.</summary>
public sealed class PipelineSchemaTests
{
    private static readonly JsonNode Definitions =
        JsonNode.Parse(File.ReadAllText(Path.Combine(SharedData.Repository, "pipelines", "pipeline.schema.json")))!["definitions"]!;

    public static TheoryData<string> Heads => [.. HeadCatalog.Trainers.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Heads))]
    public void Head_EveryOption_HasItsWordsLimitsAndDefault(string name)
    {
        var trainer = HeadCatalog.Trainers.Single(t => t.Name == name);
        var forms = Definitions["head"]!["anyOf"]!;
        Assert.Contains(name, forms[0]!["enum"]!.AsArray().Select(n => n!.GetValue<string>()));
        var options = forms[1]!["properties"]![name]!["properties"]!.AsObject();
        Assert.Equal(trainer.Options.Select(o => o.Name).Append("optional"), options.Select(o => o.Key));
        Assert.All(trainer.Options, option => Check(option, options[option.Name]!));
    }

    private static void Check(HeadOption option, JsonNode schema)
    {
        Assert.Contains($"efault{(option.Description.EndsWith('.') ? ":" : "")} {option.Default}", schema["description"]!.GetValue<string>(), StringComparison.Ordinal);
        var value = schema["anyOf"]?[0];
        switch (option.Kind)
        {
            case HeadOptionKind.Choice:
                Assert.Equal(option.Choices, value!["enum"]!.AsArray().Select(w => w!.GetValue<string>()));
                break;
            case HeadOptionKind.Integer or HeadOptionKind.Number:
                Assert.Equal(option.Kind == HeadOptionKind.Integer ? "integer" : "number", value!["type"]!.GetValue<string>());
                Assert.Equal(option.Minimum, Number(value[option.ExclusiveMinimum ? "exclusiveMinimum" : "minimum"], double.NegativeInfinity));
                Assert.Equal(option.Maximum, Number(value["maximum"], double.PositiveInfinity));
                break;
            case HeadOptionKind.Flag:
                Assert.Equal("boolean", value!["type"]!.GetValue<string>());
                break;
            default:
                Assert.Null(value);
                break;
        }
    }

    private static double Number(JsonNode? node, double absent) => node?.GetValue<double>() ?? absent;
}
