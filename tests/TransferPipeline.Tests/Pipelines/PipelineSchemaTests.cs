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

    /// <summary>An editor and the program agree on every key; names of heads, transforms and decoders are read later.</summary>
    [Fact]
    public void Schema_OfEveryKey_TakesWhatTheReaderTakes()
    {
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(SharedData.Repository, "pipelines", "pipeline.schema.json")))!;
        string[] found =
        [
            .. from key in Keys(schema, "")
            where key.Name is not ("heads" or "augment" or "decoder" or "export.head")
            from value in Values
            // A name may be any plain value: the reader takes 2024 for a text, and an editor asks for quotes.
            // Classes may be numbers in both.
            where
                !(
                    key.Name != "data.classes"
                    && IsFreeText(key.Form)
                    && value.Json is not (['"', ..] or ['[', '"' or ']' or '[', ..] or ['{', ..])
                )
            let problem = Problem(key.Name, value.Yaml)
            where problem is null != SchemaForm.Takes(key.Form, JsonNode.Parse(value.Json)!)
            select $"{key.Name}: {value.Yaml}: the reader says: {problem ?? "good"}",
        ];
        Assert.True(found.Length == 0, string.Join('\n', found));
    }

    private static readonly (string Yaml, string Json)[] Values =
    [
        ("abc", "\"abc\""),
        ("''", "\"\""),
        ("0", "0"),
        ("1", "1"),
        ("-1", "-1"),
        ("0.5", "0.5"),
        ("-0.5", "-0.5"),
        ("70000", "70000"),
        ("99999999999", "99999999999"),
        ("1e300", "1e300"),
        ("true", "true"),
        ("[]", "[]"),
        ("[abc]", "[\"abc\"]"),
        ("[abc, def]", "[\"abc\", \"def\"]"),
        ("[0]", "[0]"),
        ("[1]", "[1]"),
        ("[48, 64]", "[48, 64]"),
        ("[0.5, 0.5, 0.5]", "[0.5, 0.5, 0.5]"),
        ("[0, 1, 1]", "[0, 1, 1]"),
        ("[-1, 1, 1]", "[-1, 1, 1]"),
        ("[1, 2, 3, 4]", "[1, 2, 3, 4]"),
        ("[[1]]", "[[1]]"),
        ("{}", "{}"),
        ("{abc: 1}", "{\"abc\": 1}"),
        ("2026-11-30", "\"2026-11-30\""),
    ];

    /// <summary>Why a pipeline with a value is refused; null where it is not.</summary>
    private static string? Problem(string key, string value)
    {
        var document = TransferPipeline.Pipelines.Yaml.YamlDocument.Parse(
            "job.yaml",
            "data: {path: .}\nmodel: a\nheads: [ridge]\naugment: [random-horizontal-flip]\n"
        );
        try
        {
            // What the key needs beside it.
            document.Set(
                key switch
                {
                    "predictions" => "export=classifier.onnx",
                    "extract.cuda-graphs" => "extract.device=cuda",
                    "evaluation.repeats" => "evaluation.protocol=k-fold",
                    _ => "summary=false",
                }
            );
            document.Set($"{key}={value}");
            PipelineReader.Read(document);
            return null;
        }
        catch (BadInputException e)
        {
            return e.Message;
        }
    }

    private static IEnumerable<(string Name, JsonNode Form)> Keys(JsonNode schema, string above)
    {
        var properties = schema["properties"] ?? schema["oneOf"]?.AsArray()[^1]!["properties"];
        foreach (var (name, form) in properties?.AsObject() ?? [])
        {
            yield return (above + name, form!);
            foreach (var below in Keys(form!, $"{above}{name}."))
                yield return below;
        }
    }

    private static bool IsFreeText(JsonNode form) =>
        SchemaForm.Takes(form, JsonValue.Create("abc")) || (form["oneOf"]?.AsArray().Any(f => IsFreeText(f!)) ?? false);

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
