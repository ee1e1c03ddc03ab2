using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Jobs;
using TransferPipeline.Pipelines.Yaml;
using TransferPipeline.Platform;
using TransferPipeline.Quantization;
using TransferPipeline.Tuning;

namespace TransferPipeline.Pipelines;

/// <summary>Reads a pipeline file; its form is described to editors by pipelines/pipeline.schema.json.</summary>
internal static class PipelineReader
{
    /// <summary>Folds of k-fold where a pipeline does not say how many.</summary>
    private const int UsualFolds = 10;

    private static readonly NumberRange NotNegative = new(0, double.PositiveInfinity);

    /// <param name="assignments">Each <c>a.b=c</c>, as <c>--set</c> gives them.</param>
    /// <exception cref="BadInputException">The file, a key or a value is wrong: file and line, what was found, what was
    /// expected.</exception>
    public static Pipeline Read(string file, IEnumerable<string>? assignments = null)
    {
        var document = YamlDocument.Read(file);
        foreach (var assignment in assignments ?? [])
            document.Set(assignment);
        return Read(document);
    }

    internal static Pipeline Read(YamlDocument document)
    {
        var root = document.Root;
        PipelineKeys.Check(root);
        var folder = Path.GetDirectoryName(Path.GetFullPath(document.File))!;
        var (device, decode, extraction) = ReadExtract(root.Map("extract"));
        var pipeline = new Pipeline
        {
            File = document.File,
            Place = key => Place(root, key),
            Name = ReadName(root, document.File),
            Description = root.Text("description", ""),
            Seed = ReadSeed(root),
            Data = ReadData(root, folder),
            Models = ReadModels(root, folder),
            Cuts = ReadCuts(root),
            Decoder = ReadAdapter(root, "decoder"),
            Parquet = ReadAdapter(root, "parquet"),
            Preprocessing = ReadPreprocessing(root.Map("preprocessing")),
            Augment = [.. root.List("augment").Select(ReadStep)],
            // Transforms without copies would have no effect, so one copy is the default beside them.
            Views = root.Integer("views", root.Has("augment") ? 1 : 0, NotNegative),
            Device = device,
            Decode = decode,
            Extraction = extraction,
            Quantize = ReadQuantize(root, device),
            Heads = [.. root.List("heads").Select(ReadHead)],
            Evaluation = ReadEvaluation(root.Map("evaluation")),
            Finetune = ReadFinetune(root),
            Summary = root.Flag("summary", false),
            FeaturesExport = ReadFeaturesExport(root.Map("features-export")),
            Export = ReadExport(root),
            Report = ReadFileName(root, "report"),
            Predictions = ReadFileName(root, "predictions"),
        };
        root.RejectUnknown();
        if (pipeline.Heads.Count == 0 && pipeline.FeaturesExport is null)
            throw root.Error("heads", "no head is named; expected a list such as [softmax, linear-svm]");
        if (pipeline.Heads.Count == 0 && (pipeline.Export is not null || pipeline.Report is not null))
            throw root.Error(
                pipeline.Export is not null ? "export" : "report",
                "needs 'heads', of which there is none: it shows or holds what they have learnt"
            );
        if (pipeline.Finetune is not null && pipeline.Evaluation.Folds > 0)
            throw root.Error(
                "finetune",
                "needs 'evaluation: {protocol: split}': a tuned backbone has seen all training photos, so folds would flatter it"
            );
        if (pipeline.Views > 0 && pipeline.Augment.Count == 0)
            throw root.Error("views", "needs 'augment': without random transforms every view would be the same");
        if (pipeline.Predictions is not null && pipeline.Export is null)
            throw root.Error("predictions", "needs 'export': the predictions are the exported classifier's");
        return pipeline;
    }

    private static int ReadSeed(YamlMap root) => root.Integer("seed", 0, NotNegative);

    /// <summary>The name of the folder of results, which a path would lead elsewhere.</summary>
    private static string ReadName(YamlMap root, string file)
    {
        if (root.Text("name") is not { } name)
            return FileNames.Portable(Path.GetFileNameWithoutExtension(file));
        return FileNames.Problem(name) is { } problem
            ? throw root.Error(
                "name",
                $"'{name}', expected a name that a folder can have: {problem}; --out gives the folder of the results"
            )
            : name;
    }

    private static DatasetOptions ReadData(YamlMap root, string folder)
    {
        var map = root.RequiredMap("data", "path");
        var path = Absolute(folder, map.RequiredText("path"));
        var options = YamlOptions.Read<DatasetOptions>(map);
        options = options with
        {
            Path = path,
            ValidationShare = options.ValidationShare ?? StratifiedSplit.DefaultValidationShare,
            // A seed of its own keeps the splits while the pipeline's seed varies folds and heads.
            Seed = map.Has("seed") ? options.Seed : ReadSeed(root),
            Classes = map.Texts("classes"),
            Folder = options.Folder is { } photos ? Absolute(Path.GetDirectoryName(path)!, photos) : null,
        };
        map.RejectUnknown();
        return options;
    }

    /// <summary>A model that looks like a file is relative to the pipeline's folder; any other text is a name of the store.</summary>
    private static IReadOnlyList<ModelRequest> ReadModels(YamlMap root, string folder)
    {
        const string Expected = "expected a name such as efficientnet-lite0, or an ONNX file";
        var models = root.List("model");
        if (models.Count == 0)
            throw root.Error("model", $"is missing; {Expected}");
        return
        [
            .. models.Select(item =>
            {
                var name = item.IsEmpty ? throw item.Error($"is empty; {Expected}") : item.Text;
                return new ModelRequest(ModelStore.IsPath(name) ? Absolute(folder, name) : name, item.Place);
            }),
        ];
    }

    private static string Place(YamlMap root, string key) =>
        key.Split('.') is [var section, var inner] && root.MapIfAny(section) is { } map ? map.Place(inner) : root.Place(key.Split('.')[0]);

    private static IReadOnlyList<CutRequest> ReadCuts(YamlMap root)
    {
        var cuts = root.Texts("cut") is { Count: > 0 } given ? given : [CutRequest.Penultimate];
        var poolings = root.Texts("pooling") is { Count: > 0 } texts ? texts : ["none"];
        if (poolings.Count != 1 && poolings.Count != cuts.Count)
            throw root.Error("pooling", $"has {poolings.Count} values for {cuts.Count} cuts; expected one, or one per cut");
        try
        {
            CutRequest[] requests = [.. cuts.Select((cut, i) => new CutRequest(cut, Pooling.Parse(poolings[poolings.Count == 1 ? 0 : i])))];
            return requests.GroupBy(r => r).FirstOrDefault(g => g.Count() > 1) is { Key: var twice }
                ? throw root.Error("cut", $"'{twice.Cut}' with pooling {twice.Pooling} is listed twice; leave one out")
                : requests;
        }
        catch (UsageException e)
        {
            throw root.Error("pooling", e.Message);
        }
    }

    /// <summary>Which names there are depends on the program, so <see cref="Toolbox.With"/> checks them.</summary>
    private static AdapterRequest? ReadAdapter(YamlMap root, string key) => root.Text(key) is { } name ? new(name, root.Place(key)) : null;

    private static PreprocessingOverride ReadPreprocessing(YamlMap? map)
    {
        if (map is null)
            return new();
        var given = map.AsTexts().Where(v => v.Value is not null).ToDictionary(v => v.Key, v => v.Value!);
        return new PreprocessingText(given, (key, problem) => new BadInputException($"{map.Place(key)} {problem}")).Read();
    }

    private static (DeviceOptions Device, DecodeOptions Decode, ExtractionOptions Extraction) ReadExtract(YamlMap? map)
    {
        if (map is null)
            return (new(), new(), new());
        var (device, decode, extraction) = (
            YamlOptions.Read<DeviceOptions>(map),
            YamlOptions.Read<DecodeOptions>(map),
            YamlOptions.Read<ExtractionOptions>(map)
        );
        map.RejectUnknown();
        try
        {
            return (device.Check(), decode, extraction);
        }
        catch (UsageException e)
        {
            // The check knows a record, not a file:
            // of the keys that it compares, it is about the first one that is given.
            throw map.Error(
                map.Has("device") ? "device"
                    : map.Has("precision") ? "precision"
                    : "cuda-graphs",
                e.Message
            );
        }
    }

    /// <summary><c>quantize: {}</c> takes the defaults.</summary>
    private static QuantizeSection? ReadQuantize(YamlMap root, DeviceOptions device)
    {
        if (root.Map("quantize") is not { } map)
            return null;
        if (!device.IsCpu || device.Precision is not (Precision.Fp32 or Precision.Int8))
            throw root.Error("quantize", "int8 backbones are for device cpu with precision fp32 or int8");
        var section = new QuantizeSection(YamlOptions.Read<QuantizationOptions>(map), YamlOptions.Read<ProofOptions>(map));
        map.RejectUnknown();
        return section;
    }

    private static ComparisonOptions ReadEvaluation(YamlMap? map)
    {
        if (map is null)
            return new();
        // A file may keep its number of folds while it is scored on a split.
        var folds = map.Choice("protocol", "split", "split", "k-fold") == "k-fold";
        var options = YamlOptions.Read<ComparisonOptions>(map);
        map.RejectUnknown();
        options = options with
        {
            Folds =
                !folds ? 0
                : options.Folds > 0 ? options.Folds
                : UsualFolds,
        };
        return options.Contradiction is var (option, problem) ? throw map.Error(option, problem) : options;
    }

    /// <summary>
    /// The section fine-tunes unless <c>feature_extract: true</c>, the name that the tutorials have for it, states that frozen features are
    /// enough; <c>feature_extract: false</c> alone fine-tunes with the defaults.
    /// </summary>
    private static FinetuneOptions? ReadFinetune(YamlMap root)
    {
        var map = root.Map("finetune");
        var isFrozen = root.Flag("feature_extract", map is null);
        var options = map is null ? new() : YamlOptions.Read<FinetuneOptions>(map, static given => FinetuneOptions.Of(given.Preset));
        map?.RejectUnknown();
        return isFrozen ? null : options;
    }

    private static FeaturesExportSection? ReadFeaturesExport(YamlMap? map)
    {
        if (map is null)
            return null;
        var section = new FeaturesExportSection(map.Choice<ExportFormat>("format"), ReadFileName(map, "prefix") ?? "features");
        map.RejectUnknown();
        return section;
    }

    /// <summary>Either a file name, or a mapping with file and head.</summary>
    private static ExportSection? ReadExport(YamlMap root)
    {
        if (!root.Has("export"))
            return null;
        var heads = root.List("heads").Select(h => ReadStep(h).Name).Append(ExportSection.Best).ToArray();
        if (root.MapIfAny("export") is not { } map)
        {
            var name = root.Text("export", "");
            return heads.Contains(name)
                ? throw root.Error("export", $"'{name}' is a head, expected the name of a file; write {{head: {name}}}")
                : new(FileName(root, "export", name), ExportSection.Best);
        }

        var section = new ExportSection(ReadFileName(map, "file") ?? "classifier.onnx", map.Text("head", ExportSection.Best));
        map.RejectUnknown();
        return heads.Contains(section.Head)
            ? section
            : throw map.Error(
                "head",
                $"'{section.Head}' is none of the heads: expected one of {string.Join(", ", heads)}{NearestName.Hint(section.Head, heads)}"
            );
    }

    /// <summary>The name of a result; null where none is given.</summary>
    private static string? ReadFileName(YamlMap map, string key) => map.Text(key) is { } name ? FileName(map, key, name) : null;

    // Without a name the result would be written onto the output folder, when all work is done;
    // true or yes asks for a result, and would be its name.
    private static string FileName(YamlMap map, string key, string name) =>
        Path.GetFileName(name) is "" or "." or ".." || FlagWords.Parse(name) is not null
            ? throw map.Error(key, $"'{name}', expected the name of a file")
            : FromHome(name);

    /// <summary>A name alone, or a mapping of the one name to its options.</summary>
    private static StepRequest ReadStep(YamlItem item)
    {
        if (item.IsNothing)
            throw item.Error("is empty; expected a name, or a name with its options");
        if (!item.IsMap && item.Text.AsSpan().IndexOfAny(",:=") is > 0 and var end)
            throw item.Error(
                $"'{item.Text}', expected one name: a list stands in brackets, as in [{item.Text[..end]}, ...], and options behind "
                    + $"the name, as in {item.Text[..end]}: {{option: value}}"
            );
        if (!item.IsMap)
            return new(item.Text, new Dictionary<string, string?>(), item.Where);
        if (item.Map.Keys.ToArray() is not [var name])
            throw item.Error(
                $"has the keys {string.Join(", ", item.Map.Keys)}; expected one name with its options, as in 'softmax: {{C: 0.1}}', "
                    + $"and '- ' before each of several"
            );
        return new(name, item.Map.Map(name)?.AsTexts() ?? new Dictionary<string, string?>(), item.Where);
    }

    private static HeadRequest ReadHead(YamlItem item)
    {
        var step = ReadStep(item);
        if (!step.Options.TryGetValue("optional", out var optional))
            return new(step, false);
        // The key is the pipeline's own; a head refuses options that it does not declare.
        var options = step.Options.Where(o => o.Key != "optional").ToDictionary(o => o.Key, o => o.Value);
        return FlagWords.Parse(optional ?? "false") is { } flag
            ? new(step with { Options = options }, flag)
            : throw item.Error($"{step.Name}.optional is '{optional}', expected true or false");
    }

    private static string Absolute(string folder, string path) => Path.GetFullPath(Path.Combine(folder, FromHome(path)));

    /// <summary><c>~/</c> is the home folder, which a shell does not put in behind <c>--set a=</c>.</summary>
    private static string FromHome(string path) => path.StartsWith("~/", StringComparison.Ordinal) ? UserFolders.Home + path[1..] : path;
}
