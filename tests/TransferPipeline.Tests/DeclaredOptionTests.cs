using System.CommandLine;
using System.Text.Json.Nodes;
using TransferPipeline.Cli.Commands;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Extraction;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Jobs;
using TransferPipeline.Pipelines;
using TransferPipeline.Quantization;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests;

/// <summary>An option is declared once: command line, pipelines and the schema for editors follow from its record.</summary>
public sealed class DeclaredOptionTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public static TheoryData<string, string[]> Sections =>
        new()
        {
            { "data", ["path", "classes", .. Names<DatasetOptions>()] },
            { "extract", [.. Names<DeviceOptions>(), .. Names<DecodeOptions>(), .. Names<ExtractionOptions>()] },
            { "evaluation", ["protocol", .. Names<ComparisonOptions>()] },
            { "quantize", [.. Names<QuantizationOptions>(), .. Names<ProofOptions>()] },
            { "finetune", [.. Names<FinetuneOptions>()] },
        };

    [Theory]
    [MemberData(nameof(Sections))]
    public void Schema_HasEachOptionWithItsTypeWordsAndLimits(string section, string[] names)
    {
        var properties = JsonNode.Parse(File.ReadAllText(Path.Combine(SharedData.Repository, "pipelines", "pipeline.schema.json")))![
            "properties"
        ]![section]!["properties"]!.AsObject();
        Assert.Equal(names.Order(StringComparer.Ordinal), properties.Select(p => p.Key).Order(StringComparer.Ordinal));
        DeclaredOption[] options = section switch
        {
            "data" => [.. DeclaredOption.Of<DatasetOptions>()],
            // device and batch mean other things in a fine-tuning.
            "finetune" => [.. DeclaredOption.Of<FinetuneOptions>()],
            _ =>
            [
                .. DeclaredOption.Of<DeviceOptions>(),
                .. DeclaredOption.Of<DecodeOptions>(),
                .. DeclaredOption.Of<ExtractionOptions>(),
                .. DeclaredOption.Of<ComparisonOptions>(),
                .. DeclaredOption.Of<QuantizationOptions>(),
                .. DeclaredOption.Of<ProofOptions>(),
            ],
        };
        Assert.All(
            options.Where(o => names.Contains(o.Name)),
            option => Assert.Equal(option.Schema().ToJsonString(), properties[option.Name]!.ToJsonString())
        );
    }

    /// <summary>What a pipeline without a key means is what the command without the option means.</summary>
    [Fact]
    public void Defaults_OfCommandsAndPipelines_AreThoseOfTheRecord()
    {
        var command = new Command("extract");
        var (device, decode, extraction, comparison) = (
            new OptionFlags<DeviceOptions>(),
            new OptionFlags<DecodeOptions>(),
            new OptionFlags<ExtractionOptions>(),
            new OptionFlags<ComparisonOptions>()
        );
        device.AddTo(command);
        decode.AddTo(command);
        extraction.AddTo(command);
        comparison.AddTo(command);
        var parsed = command.Parse([]);
        var file = _folder.At("p.yaml");
        File.WriteAllText(
            file,
            "data: { path: . }\nmodel: efficientnet-lite0\nheads: [ridge]\nextract: { device: cpu }\nevaluation: { protocol: split }\n"
        );
        var pipeline = PipelineReader.Read(file);
        Assert.Equivalent(new DeviceOptions(), device.Read(parsed), strict: true);
        Assert.Equivalent(new DeviceOptions(), pipeline.Device, strict: true);
        Assert.Equal(new DecodeOptions(), decode.Read(parsed));
        Assert.Equal(new DecodeOptions(), pipeline.Decode);
        Assert.Equal(
            (new ExtractionOptions().Batch, new ExtractionOptions().MaxFailedShare),
            (extraction.Read(parsed).Batch, extraction.Read(parsed).MaxFailedShare)
        );
        Assert.Equal(
            (new ExtractionOptions().Batch, new ExtractionOptions().MaxFailedShare),
            (pipeline.Extraction.Batch, pipeline.Extraction.MaxFailedShare)
        );
        Assert.Equivalent(DeclaredValues(new ComparisonOptions()), DeclaredValues(comparison.Read(parsed)), strict: true);
        Assert.Equivalent(DeclaredValues(new ComparisonOptions()), DeclaredValues(pipeline.Evaluation), strict: true);
    }

    /// <summary>A preset sets the defaults of the other options; what is given wins, in any order.</summary>
    [Fact]
    public void Preset_OfAFinetuning_SetsTheDefaultsOfTheOthers()
    {
        var (command, flags) = (new Command("finetune"), new OptionFlags<FinetuneOptions>());
        flags.AddTo(command);
        var parsed = command.Parse("--epochs 3 --preset tutorial --cut last-stage");
        Assert.Empty(parsed.Errors);
        var expected = FinetuneOptions.Of(FinetunePreset.Tutorial) with { Epochs = 3, Cut = "last-stage" };
        Assert.Equal(expected, flags.Read(parsed, given => FinetuneOptions.Of(given.Preset)));
        var file = _folder.At("p.yaml");
        File.WriteAllText(
            file,
            "data: { path: . }\nmodel: a\nheads: [ridge]\nfinetune: { epochs: 3, preset: tutorial, cut: last-stage }\n"
        );
        Assert.Equal(expected, PipelineReader.Read(file).Finetune);
        File.WriteAllText(file, "data: { path: . }\nmodel: a\nheads: [ridge]\nfeature_extract: false\n");
        Assert.Equal(new FinetuneOptions(), PipelineReader.Read(file).Finetune);
        File.WriteAllText(file, "data: { path: . }\nmodel: a\nheads: [ridge]\n");
        Assert.Null(PipelineReader.Read(file).Finetune);
    }

    [Fact]
    public void Values_OfCommandsAndPipelines_AreRead()
    {
        var command = new Command("compare");
        var (device, comparison) = (new OptionFlags<DeviceOptions>(), new OptionFlags<ComparisonOptions>());
        device.AddTo(command);
        comparison.AddTo(command);
        var parsed = command.Parse(
            "--device cuda:0,1 --precision fp16 --device-memory 1.5 --cuda-graphs on --cudnn-search heuristic --choose-by validation "
                + "--on test --few-shot 1 4 --draws 3 --check-data"
        );
        Assert.Empty(parsed.Errors);
        var file = _folder.At("p.yaml");
        File.WriteAllText(
            file,
            """
            data: { path: . }
            model: efficientnet-lite0
            heads: [ridge]
            extract: { device: "cuda:0,1", precision: fp16, device-memory: 1.5, cuda-graphs: true, cudnn-search: heuristic }
            evaluation: { protocol: split, choose-by: validation, on: test, few-shot: [1, 4], draws: 3, data-check: true }
            """
        );
        var pipeline = PipelineReader.Read(file);
        var expected = new DeviceOptions
        {
            Device = "cuda:0,1",
            Precision = Precision.Fp16,
            MemoryLimit = 1_500_000_000,
            CudaGraphs = true,
            CudnnSearch = CudnnSearch.Heuristic,
        };
        Assert.Equivalent(expected, device.Read(parsed), strict: true);
        Assert.Equivalent(expected, pipeline.Device, strict: true);
        var options = new ComparisonOptions
        {
            ChooseBy = ChooseBy.Validation,
            ScoreSplit = "test",
            FewShotPerClass = [1, 4],
            FewShotDraws = 3,
            CheckData = true,
        };
        Assert.Equivalent(DeclaredValues(options), DeclaredValues(comparison.Read(parsed)), strict: true);
        Assert.Equivalent(DeclaredValues(options), DeclaredValues(pipeline.Evaluation), strict: true);
    }

    public void Dispose() => _folder.Dispose();

    private static string[] Names<T>()
        where T : class => [.. DeclaredOption.Of<T>().Select(o => o.Name)];

    private static object DeclaredValues(ComparisonOptions o) =>
        new
        {
            o.ScoreSplit,
            o.Folds,
            o.Repeats,
            o.GroupNearDuplicates,
            o.NearDuplicateCosine,
            o.ChooseBy,
            o.WatchReportedSplit,
            o.Calibrate,
            o.FewShotPerClass,
            o.FewShotDraws,
            o.CheckData,
        };
}
