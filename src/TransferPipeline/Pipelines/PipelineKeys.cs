using TransferPipeline.Evaluation;
using TransferPipeline.Extraction;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Jobs;
using TransferPipeline.Pipelines.Yaml;
using TransferPipeline.Quantization;
using TransferPipeline.Tuning;

namespace TransferPipeline.Pipelines;

/// <summary>The keys of a pipeline file by section.</summary>
internal static class PipelineKeys
{
    /// <summary>The top level is the section without a name. Editors have the same keys from pipelines/pipeline.schema.json.</summary>
    internal static readonly (string Section, string[] Keys)[] Sections =
    [
        (
            "",
            [
                "name",
                "description",
                "seed",
                "data",
                "model",
                "cut",
                "pooling",
                "decoder",
                "parquet",
                "preprocessing",
                "augment",
                "views",
                "extract",
                "quantize",
                "heads",
                "evaluation",
                "finetune",
                "feature_extract",
                "summary",
                "features-export",
                "export",
                "report",
                "predictions",
            ]
        ),
        (
            "data",
            [
                "path",
                "kind",
                "validation-share",
                "test-share",
                "seed",
                "stratified",
                "classes",
                "path-column",
                "label-column",
                "split-column",
                "folder",
                "extension",
            ]
        ),
        ("preprocessing", PreprocessingText.Names),
        ("extract", [.. Options<DeviceOptions>(), .. Options<DecodeOptions>(), .. Options<ExtractionOptions>()]),
        ("quantize", [.. Options<QuantizationOptions>(), .. Options<ProofOptions>()]),
        ("evaluation", ["protocol", .. Options<ComparisonOptions>()]),
        ("finetune", [.. Options<FinetuneOptions>()]),
        ("features-export", ["format", "prefix"]),
        ("export", ["file", "head"]),
    ];

    /// <summary>
    /// Refuses unknown keys before anything is read: where a key is misspelled, another one that is missing is the consequence.
    /// </summary>
    /// <exception cref="BadInputException">A key is misspelled or in the wrong section.</exception>
    public static void Check(YamlMap root)
    {
        // 'data:' with its keys at the left margin: the empty section is the cause.
        if (root.Keys.Contains("data") && !root.Has("data"))
            root.RequiredMap("data", "path");
        foreach (var (section, keys) in Sections)
            (section == "" ? root : root.MapIfAny(section))?.RejectUnknown(keys, key => Place(key));
    }

    /// <summary>Where a key belongs; null for one of no section.</summary>
    private static string? Place(string key)
    {
        var sections = Sections.Where(s => s.Keys.Contains(key)).Select(s => s.Section).ToList();
        return sections.Count == 0 ? null
            : sections[0] == "" ? $"'{key}' belongs to the top level: check the indentation"
            : $"'{key}' belongs under {string.Join(" or ", sections)}, indented below it";
    }

    private static IEnumerable<string> Options<T>()
        where T : class, new() => DeclaredOption.Of<T>().Select(o => o.Name);
}
