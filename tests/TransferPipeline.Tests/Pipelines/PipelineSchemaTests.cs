using System.Text.Json.Nodes;
using TransferPipeline.Pipelines;

namespace TransferPipeline.Tests.Pipelines;

/// <summary>
/// The schema and the page of options contain what the records of heads declare; neither test writes the file that it compares with.
/// </summary>
public sealed class PipelineSchemaTests
{
    [Fact]
    public void Schema_OfHeads_IsWhatTheRecordsMake()
    {
        Compare(HeadDocuments.Schema, "pipelines", "pipeline.schema.json");
        var head = JsonNode.Parse(File.ReadAllText(Path.Combine(SharedData.Repository, "pipelines", "pipeline.schema.json")))![
            "definitions"
        ]!["head"]!["anyOf"]!;
        Assert.Equal(HeadDocuments.Trainers.Select(t => t.Name), head[1]!["properties"]!.AsObject().Select(p => p.Key));
    }

    [Fact]
    public void Page_OfHeads_HasTheTablesThatTheRecordsMake() => Compare(HeadDocuments.Page, "docs", "heads.md");

    [Fact]
    public void Schema_OfSections_HasTheKeysThatAreRead()
    {
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(SharedData.Repository, "pipelines", "pipeline.schema.json")))!;
        foreach (var (section, keys) in PipelineKeys.Sections)
        {
            var described = section == "" ? schema : schema["properties"]![section]!;
            // A section that may also be a text has its keys in the second form.
            var properties = described["properties"] ?? described["oneOf"]!.AsArray()[^1]!["properties"]!;
            Assert.Equal(keys.Order(StringComparer.Ordinal), properties.AsObject().Select(p => p.Key).Order(StringComparer.Ordinal));
        }
    }

    private static void Compare(Func<string, string> make, params string[] path)
    {
        var committed = Path.Combine([SharedData.Repository, .. path]);
        var text = File.ReadAllText(committed);
        var made = make(text);
        var found = Path.Combine(AppContext.BaseDirectory, path[^1] + ".found");
        File.WriteAllText(found, made);
        Assert.True(
            text == made,
            $"the options of heads have changed; if that is meant: cp {Path.GetRelativePath(SharedData.Repository, found)} "
                + $"{Path.Combine(path)}"
        );
    }
}
