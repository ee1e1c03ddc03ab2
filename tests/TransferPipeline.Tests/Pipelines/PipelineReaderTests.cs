using System.Text.Json;
using TransferPipeline.Backbones;
using TransferPipeline.Evaluation;
using TransferPipeline.Heads;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Jobs;
using TransferPipeline.Pipelines;
using TransferPipeline.Pipelines.Yaml;

namespace TransferPipeline.Tests.Pipelines;

public sealed class PipelineReaderTests
{
    private const string Minimal = "data: {path: photos}\nmodel: efficientnet-lite0\nheads: [softmax]\n";

    private static readonly string Folder = Path.Combine(SharedData.Repository, "pipelines");

    public static TheoryData<string> Files => [.. Directory.GetFiles(Folder, "*.yaml").Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Read_EveryPipelineOfTheRepository_IsValid(string file)
    {
        var pipeline = PipelineReader.Read(Path.Combine(Folder, file));
        Assert.Equal(Path.GetFileNameWithoutExtension(file), pipeline.Name);
        Assert.NotEmpty(pipeline.Heads);
    }

    [Fact]
    public void Read_Minimal_HasTheDocumentedDefaults()
    {
        var pipeline = PipelineReader.Read(YamlDocument.Parse("jobs/small.yaml", Minimal));
        Assert.Equal("small", pipeline.Name);
        Assert.Equal("a_b", PipelineReader.Read(YamlDocument.Parse("jobs/a:b.yaml", Minimal)).Name);
        Assert.Equal(Path.GetFullPath("jobs/photos"), pipeline.Data.Path);
        Assert.Equal([CutRequest.Default], pipeline.Cuts);
        Assert.Equal(0, pipeline.Views);
        Assert.Equal("validation", pipeline.Evaluation.ScoreSplit);
        Assert.Null(pipeline.Export);
    }

    [Fact]
    public void Read_SectionsThatSayLittle_HaveTheDefaultsOfSectionsLeftOut()
    {
        var pipeline = PipelineReader.Read(
            YamlDocument.Parse("job.yaml", Minimal + "extract: {device: cpu}\nevaluation: {protocol: split}\npreprocessing: {crop: 224}\n")
        );
        Assert.Equivalent(new DeviceOptions(), pipeline.Device, strict: true);
        Assert.Equal((0, 0.05, false), (pipeline.Extraction.Batch, pipeline.Extraction.MaxFailedShare, pipeline.Decode.ExifTranspose));
        Assert.Equivalent(new ComparisonOptions(), pipeline.Evaluation, strict: true);
        Assert.Equivalent(new PreprocessingOverride { Crop = [224] }, pipeline.Preprocessing, strict: true);
        Assert.Equal((0, 1, 5), (pipeline.Evaluation.Folds, pipeline.Evaluation.Repeats, pipeline.Evaluation.FewShotDraws));
    }

    [Fact]
    public void Read_FolderOfACsv_IsRelativeToTheCsv()
    {
        var pipeline = PipelineReader.Read(
            YamlDocument.Parse("jobs/dogs.yaml", "data: {path: ../data/labels.csv, folder: train}\nmodel: resnet50\nheads: [softmax]\n")
        );
        Assert.Equal((Path.GetFullPath("data/labels.csv"), Path.GetFullPath("data/train")), (pipeline.Data.Path, pipeline.Data.Folder));
    }

    [Fact]
    public void Read_ModelsThatArePaths_AreRelativeToTheFile()
    {
        var pipeline = PipelineReader.Read(
            YamlDocument.Parse("jobs/dogs.yaml", "data: {path: p}\nmodel: [a.onnx, ./b, ../nets/c.model, resnet50]\nheads: [softmax]\n")
        );
        Assert.Equal(
            [Path.GetFullPath("jobs/a.onnx"), Path.GetFullPath("jobs/b"), Path.GetFullPath("nets/c.model"), "resnet50"],
            pipeline.Models.Select(m => m.Name)
        );
    }

    [Fact]
    public void Read_ListsOfNames_AreSweeps()
    {
        const string Heads = """
            heads:
              - knn: {weights: [uniform, distance], scaling: [none, standard, l2]}
              - mlp: {hidden_layer_sizes: [[512, 128], [256]]}
              - mlp: {hidden_layer_sizes: ["512,128", 256]}
              - softmax: {class_weight: [none, balanced, "0:1,3:2.5"]}
              - softmax: {class_weight: [none, {cat: 1, dog: 2.5}]}
            """;
        var document = YamlDocument.Parse("job.yaml", "data: {path: photos}\nmodel: resnet50\n" + Heads);
        document.Set("heads.0.knn.metric=[cosine, euclidean]");
        var sweeps = PipelineReader
            .Read(document)
            .Heads.SelectMany(h => h.Spec(HeadCatalog.Trainers).Sweeps)
            .Select(s => $"{s.Option}: {string.Join(" | ", s.Values)}");
        Assert.Equal(
            [
                "metric: cosine | euclidean",
                "scaling: none | standard | l2",
                "weights: uniform | distance",
                "hidden_layer_sizes: 512,128 | 256",
                "hidden_layer_sizes: 512,128 | 256",
                "class_weight: none | balanced | 0:1,3:2.5",
                "class_weight: none | cat:1,dog:2.5",
            ],
            sweeps
        );
    }

    [Theory]
    [InlineData("heads: [softmax, ridge: {alpha: -1}]", "job.yaml:3: ridge: alpha is '-1', expected a number greater than 0")]
    [InlineData("heads: [softmax: {C: logspace(-2, 2, 3)}]", "C is 'logspace(-2', whose bracket is not closed; in YAML a value with")]
    [InlineData("heads: [softmax: {C: ['', 1]}]", "job.yaml:3: heads[0].softmax.C has an empty item; expected a value")]
    [InlineData("heads: [softmax: {nope: }]", "job.yaml:3: softmax has no option 'nope'")]
    [InlineData("heads: [softmax, null]", "job.yaml:3: heads[1]: is empty; expected a name")]
    [InlineData("heads:", "job.yaml:3: heads: no head is named; expected a list")]
    [InlineData("features-export: {}\nexport: c.onnx", "job.yaml:4: export: needs 'heads', of which there is none")]
    public void Read_HeadsThatAreWrong_NameTheLine(string heads, string expected)
    {
        var error = Assert.Throws<BadInputException>(() =>
        {
            foreach (var head in PipelineReader.Read(YamlDocument.Parse("job.yaml", "data: {path: p}\nmodel: a\n" + heads)).Heads)
            {
                try
                {
                    head.Spec(HeadCatalog.Trainers);
                }
                catch (UsageException e)
                {
                    throw new BadInputException($"{head.Step.Where}: {e.Message}", e);
                }
            }
        });
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("softmax: {C: , fit_intercept: no}")]
    [InlineData("softmax: {C: 3, fit_intercept: off}", "heads.0.softmax.C=")]
    public void Read_AnOptionWithoutAValue_HasItsDefault(string head, params string[] set)
    {
        var document = YamlDocument.Parse("job.yaml", $"data: {{path: p}}\nmodel: a\nheads: [{head}]\n");
        foreach (var assignment in set)
            document.Set(assignment);
        var spec = PipelineReader.Read(document).Heads.Single().Spec(HeadCatalog.Trainers);
        Assert.Equal(("1", "false"), (spec.Options.Values["C"], spec.Options.Values["fit_intercept"]));
    }

    [Fact]
    public void Read_WeightsOfClasses_AreAMappingFromNames()
    {
        const string Text =
            "data: {path: photos}\nmodel: resnet50\nheads:\n  - softmax:\n      class_weight:\n        cat: 1\n        dog: 2.5\n";
        var head = PipelineReader.Read(YamlDocument.Parse("job.yaml", Text)).Heads.Single();
        Assert.Equal("cat:1,dog:2.5", head.Step.Options["class_weight"]);
    }

    [Fact]
    public void Read_EveryKeyOfTheSchema_IsKnown()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "pipeline.schema.json")));
        foreach (var (path, value) in Examples(schema.RootElement, ""))
        {
            var document = YamlDocument.Parse("job.yaml", Minimal + "augment: [random-horizontal-flip]\nexport: {file: a.onnx}\n");
            document.Set($"{path}={value}");
            PipelineReader.Read(document);
        }
    }

    [Theory]
    [InlineData(
        "augment: 'color-jitter,random-rotation'\n",
        "job.yaml:4: augment: 'color-jitter,random-rotation', expected one name: a list stands in brackets, as in [color-jitter, "
            + "...], and options behind the name, as in color-jitter: {option: value}"
    )]
    [InlineData(
        "augment: {color-jitter: {}, random-rotation: {}}\n",
        "job.yaml:4: augment: has the keys color-jitter, random-rotation; expected one name with its options, as in 'softmax: {C: "
            + "0.1}', and '- ' before each of several"
    )]
    [InlineData("modle: x\n", "job.yaml:4: unknown key 'modle'; did you mean 'model'?")]
    [InlineData("evaluation: {fold: 3}\n", "job.yaml:4: unknown key 'evaluation.fold'; did you mean 'folds'?")]
    [InlineData(
        "evaluation: {protocol: kfold}\n",
        "job.yaml:4: evaluation.protocol: 'kfold', expected one of split, k-fold; did you mean 'k-fold'?"
    )]
    [InlineData("views: 3\n", "job.yaml:4: views: needs 'augment'")]
    [InlineData("cut: ''\n", "job.yaml:4: cut: is empty; expected text")]
    [InlineData("cut: [penultimate, ~]\n", "job.yaml:4: cut[1]: is empty; expected text")]
    [InlineData("pooling: ' '\n", "job.yaml:4: pooling: is empty; expected text")]
    [InlineData("cut: [features, penultimate, features]\n", "job.yaml:4: cut: 'features' with pooling none is listed twice; leave one out")]
    [InlineData("pooling: middle\n", "job.yaml:4: pooling: pooling 'middle' is not one of none, avg, max, adaptive:HxW")]
    [InlineData("pooling: [avg, max]\n", "job.yaml:4: pooling: has 2 values for 1 cuts")]
    [InlineData("extract: {device: gpu}\n", "job.yaml:4: extract.device: device 'gpu' is not one of cpu, cuda, cuda:N")]
    [InlineData("extract: {precision: tf32}\n", "job.yaml:4: extract.precision: precision tf32 exists on CUDA only")]
    [InlineData("extract: {cuda-graphs: true}\n", "job.yaml:4: extract.cuda-graphs: CUDA graphs are for device cuda, not for cpu")]
    [InlineData("extract: {device-memory: -1}\n", "job.yaml:4: extract.device-memory is '-1', expected a number from 0 to 1000000")]
    [InlineData("preprocessing: {offset: Infinity}\n", "job.yaml:4: preprocessing.offset is 'Infinity', expected a level, such as 127.5")]
    [InlineData(
        "preprocessing: {std: [1, 1, NaN]}\n",
        "job.yaml:4: preprocessing.std is '[1, 1, NaN]', expected three numbers greater than 0"
    )]
    [InlineData("evaluation: {protocol: split, repeats: 3}\n", "job.yaml:4: evaluation.repeats: 3 repeats need folds, and there are none")]
    [InlineData("evaluation: {protocol: k-fold, on: test}\n", "job.yaml:4: evaluation.on: folds evaluate all photos but those of test")]
    [InlineData("evaluation: {choose-by: validation}\n", "job.yaml:4: evaluation.choose-by: the validation split cannot choose values")]
    [InlineData("name: ../..\n", "job.yaml:4: name: '../..', expected a name that a folder can have: it contains '/'; --out gives")]
    [InlineData("name: CON\n", "job.yaml:4: name: 'CON', expected a name that a folder can have: Windows has a device of that name")]
    [InlineData("report: yes\n", "job.yaml:4: report: 'yes', expected the name of a file")]
    [InlineData("export: best\n", "job.yaml:4: export: 'best' is a head, expected the name of a file; write {head: best}")]
    [InlineData("report: \"\"\n", "job.yaml:4: report: '', expected the name of a file")]
    [InlineData("report: pages/\n", "job.yaml:4: report: 'pages/', expected the name of a file")]
    [InlineData("export: ''\n", "job.yaml:4: export: '', expected the name of a file")]
    [InlineData("export: {file: ..}\n", "job.yaml:4: export.file: '..', expected the name of a file")]
    [InlineData("export: a.onnx\npredictions: .\n", "job.yaml:5: predictions: '.', expected the name of a file")]
    [InlineData("features-export: {prefix: ''}\n", "job.yaml:4: features-export.prefix: '', expected the name of a file")]
    [InlineData("seed: 4294967296\n", "job.yaml:4: seed is '4294967296', expected a whole number from 0 to 2147483647")]
    [InlineData(
        "evaluation: {draws: 3000000000}\n",
        "job.yaml:4: evaluation.draws is '3000000000', expected a whole number from 1 to 2147483647"
    )]
    [InlineData("preprocessing: {divisor: 0}\n", "job.yaml:4: preprocessing.divisor is '0', expected a number greater than 0")]
    [InlineData("preprocessing: {std: [1, 0, 1]}\n", "job.yaml:4: preprocessing.std is '[1, 0, 1]', expected three numbers greater than 0")]
    [InlineData("preprocessing: {divisor: -128}\n", "job.yaml:4: preprocessing.divisor is '-128', expected a number greater than 0")]
    [InlineData(
        "preprocessing: {mean: [0, 0, 0], divisor: 128}\n",
        "job.yaml:4: preprocessing.divisor is given beside mean; expected one of mean with std, range, or offset with divisor"
    )]
    [InlineData("preprocessing: {crop: [1, 2, 3]}\n", "job.yaml:4: preprocessing.crop is '[1, 2, 3]', expected one side, or height and")]
    [InlineData(
        "preprocessing: {interpolation: bicubik}\n",
        "job.yaml:4: preprocessing.interpolation is 'bicubik', expected one of nearest"
    )]
    [InlineData("preprocessing: {mean: [1, 2]}\n", "job.yaml:4: preprocessing.mean is '[1, 2]', expected three numbers")]
    public void Read_WrongContent_NamesLineAndCure(string addition, string start)
    {
        var error = Assert.Throws<BadInputException>(() => PipelineReader.Read(YamlDocument.Parse("job.yaml", Minimal + addition)));
        Assert.StartsWith(start, error.Message);
        Assert.Equal(ExitCode.Usage, error.ExitCode);
    }

    [Theory]
    [InlineData("''", "job.yaml:2: model: is empty; expected a name such as efficientnet-lite0, or an ONNX file")]
    [InlineData("\n- a\n- ''", "job.yaml:4: model[1]: is empty; expected a name such as efficientnet-lite0, or an ONNX file")]
    [InlineData("[a, ~]", "job.yaml:2: model[1]: is empty; expected a name such as efficientnet-lite0, or an ONNX file")]
    public void Read_AModelThatIsEmpty_NamesTheLine(string model, string message) =>
        Assert.Equal(
            message,
            Assert
                .Throws<BadInputException>(() =>
                    PipelineReader.Read(YamlDocument.Parse("job.yaml", $"data: {{path: p}}\nmodel: {model}\n"))
                )
                .Message
        );

    [Theory]
    [InlineData("data:\npath: photos\nmodel: a\n", "job.yaml:1: data is empty; expected a mapping with the key path, indented below it")]
    [InlineData(
        "data:\n  path:photos\nmodel: a\n",
        "job.yaml:2: data is 'path:photos', expected a mapping (after 'path:' a space is missing)"
    )]
    [InlineData("data: {path:photos}\nmodel: a\n", "job.yaml:1: unknown key 'data.path:photos'; after 'path:' a space is missing")]
    public void Read_DataThatIsNoMapping_NamesTheLikelySlip(string text, string message) =>
        Assert.Equal(message, Assert.Throws<BadInputException>(() => PipelineReader.Read(YamlDocument.Parse("job.yaml", text))).Message);

    /// <summary>Before the key that is missing for it, at every level.</summary>
    [Theory]
    [InlineData("name: x\ndata: {path: p}\nmodell: a\nheads: [ridge]\n", "job.yaml:3: unknown key 'modell'; did you mean 'model'? (")]
    [InlineData("name: x\ndta: {path: p}\nmodel: a\nheads: [ridge]\n", "job.yaml:2: unknown key 'dta'; did you mean 'data'? (")]
    [InlineData("model: a\ndata:\n  kind: csv\n  pth: p\n", "job.yaml:4: unknown key 'data.pth'; did you mean 'path'? (")]
    [InlineData("data: {kind: csv}\nmodell: a\n", "job.yaml:2: unknown key 'modell'; did you mean 'model'? (")]
    [InlineData(
        "data:\n  path: p\n  model: a\n",
        "job.yaml:3: unknown key 'data.model'; 'model' belongs to the top level: check the indentation"
    )]
    [InlineData(
        "data: {path: p}\nmodel: a\nvalidation-share: 0.1\n",
        "job.yaml:3: unknown key 'validation-share'; 'validation-share' belongs under data, indented below it"
    )]
    [InlineData(
        "data: {path: p}\nmodel: a\nevaluation: {epochs: 3}\n",
        "job.yaml:3: unknown key 'evaluation.epochs'; 'epochs' belongs under finetune, indented below it"
    )]
    public void Read_UnknownKey_IsNamedWithItsLineAndPlace(string text, string start) =>
        Assert.StartsWith(
            start,
            Assert.Throws<BadInputException>(() => PipelineReader.Read(YamlDocument.Parse("job.yaml", text))).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Read_PathsInTheHomeFolder_ArePutInFull()
    {
        var document = YamlDocument.Parse("job.yaml", Minimal);
        document.Set("data.path=~/photos");
        document.Set("model=[~/m.onnx, resnet18]");
        document.Set("report=~/pages/report.html");
        document.Set("features-export.prefix=~/vectors");
        var (pipeline, home) = (PipelineReader.Read(document), Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));
        Assert.Equal(Path.Combine(home, "photos"), pipeline.Data.Path);
        Assert.Equal(Path.Combine(home, "pages", "report.html"), pipeline.Report);
        Assert.Equal(Path.Combine(home, "vectors"), pipeline.FeaturesExport!.Prefix);
        Assert.Equal([Path.Combine(home, "m.onnx"), "resnet18"], pipeline.Models.Select(m => m.Name));
    }

    [Fact]
    public void Apply_ResizeAndCropOverridden_KeepsTheRest()
    {
        var document = YamlDocument.Parse("job.yaml", Minimal + "preprocessing: {resize: [32, 48], crop: 32, interpolation: lanczos}\n");
        var model = Preprocessing.ImageNet() with { Offset = 127, Divisor = 128 };
        var applied = PipelineReader.Read(document).Preprocessing.Apply(model);
        Assert.Equal(
            model with
            {
                ResizeShortSide = 0,
                ResizeHeight = 32,
                ResizeWidth = 48,
                CropHeight = 32,
                CropWidth = 32,
                Interpolation = Interpolation.Lanczos,
            },
            applied
        );
    }

    [Theory]
    [InlineData(
        "offset: 127",
        0,
        "preprocessing: the offset of (x - offset) / divisor needs a divisor, which this model's own preprocessing has not"
    )]
    [InlineData("offset: 127", 128, null)]
    [InlineData("offset: 127, divisor: 128", 0, null)]
    public void Apply_OffsetOrMean_IsNeverLeftWithoutEffect(string keys, double divisor, string? problem)
    {
        var change = PipelineReader.Read(YamlDocument.Parse("job.yaml", Minimal + $"preprocessing: {{{keys}}}\n")).Preprocessing;
        var model = Preprocessing.ImageNet() with { Divisor = divisor };
        if (problem is null)
            Assert.Equal((127, 128), (change.Apply(model).Offset, change.Apply(model).Divisor));
        else
            Assert.StartsWith(problem, Assert.Throws<UsageException>(() => change.Apply(model)).Message);
    }

    /// <summary>A valid value for each leaf of the schema, by its dotted path.</summary>
    private static IEnumerable<(string Path, string Value)> Examples(JsonElement schema, string prefix)
    {
        foreach (var property in schema.GetProperty("properties").EnumerateObject())
        {
            var path = prefix + property.Name;
            if (property.Value.TryGetProperty("properties", out _))
            {
                foreach (var example in Examples(property.Value, path + "."))
                    yield return example;
                continue;
            }

            yield return (path, path == "pooling" ? "avg" : Example(property.Value));
        }
    }

    private static string Example(JsonElement property)
    {
        if (property.TryGetProperty("oneOf", out var forms))
            return Example(forms[0]);
        if (property.TryGetProperty("enum", out var words))
            return words[0].GetString()!;
        if (property.TryGetProperty("default", out var value))
            return value.GetRawText().Trim('"');
        return property.TryGetProperty("type", out var type)
            ? type.GetString() switch
            {
                "integer" => "3",
                "number" => "0.5",
                "boolean" => "true",
                "array" => property.TryGetProperty("minItems", out var items) && items.GetInt32() == 3 ? "[1, 2, 3]"
                : property.GetProperty("items").TryGetProperty("type", out _) ? "[1, 2]"
                : "[random-horizontal-flip]",
                _ => "text",
            }
            : "random-horizontal-flip";
    }
}
