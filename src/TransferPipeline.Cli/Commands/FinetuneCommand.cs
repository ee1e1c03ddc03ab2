using System.CommandLine;
using TransferPipeline.Cli.Output;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Images;
using TransferPipeline.Jobs;
using TransferPipeline.Tuning;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer finetune --data DIR --model NAME|FILE.onnx --out tuned.onnx</c>.</summary>
internal static class FinetuneCommand
{
    public static Command Create(string name, string summary)
    {
        var data = new DataOptions();
        var model = Common.Model();
        var file = Common.Out("The tuned backbone; its manifest is written beside it.");
        var classifier = new Option<string?>("--classifier")
        {
            Description = "Also write the tuned backbone with its head as a classifier.",
            HelpName = "FILE.onnx",
        };
        var cache = new Option<string?>("--cache")
        {
            Description = "Folder of cached activations and of the checkpoint; default beside --out. Other runs reuse it.",
            HelpName = "DIR",
        };
        var (tuning, decode, extraction) = (
            new OptionFlags<FinetuneOptions>(),
            new OptionFlags<DecodeOptions>(),
            new OptionFlags<ExtractionOptions>("max-failed")
        );
        var (seed, threads, json) = (Common.Seed(), Common.Threads(), Common.Json());
        var command = new Command(name, summary) { model, file, classifier, cache, seed, threads, json };
        tuning.AddTo(command);
        extraction.AddTo(command);
        decode.AddTo(command);
        var chosen = new ToolFlags();
        chosen.AddTo(command);
        data.AddTo(command);
        command.SetAction(
            (parsed, cancellation) =>
            {
                // Before hours of training, whose result they take.
                Common.RequireBackboneFile(parsed.GetValue(file)!);
                if (parsed.GetValue(classifier) is { } target)
                    Common.RequireResult(target, data.Read(parsed).Path);
                if (parsed.GetValue(cache) is { } activations)
                    Common.RequireSetFolder(activations);
                var tools = chosen.Read(parsed);
                var resolved = tools.Models.Resolve(parsed.GetValue(model)!);
                using var dataset = DatasetReader.Open(data.Read(parsed), tools.PhotoTable);
                foreach (var problem in dataset.Problems)
                    Messages.Warning(problem.ToString());
                using var extracting = ExtractionProgressView.Start(resolved.Name);
                using var training = new TuningProgressView(resolved.Name);
                var result = Finetuning.Run(
                    tools,
                    new()
                    {
                        Dataset = dataset,
                        Model = resolved,
                        File = parsed.GetValue(file)!,
                        Classifier = parsed.GetValue(classifier),
                        Cache = parsed.GetValue(cache),
                        Options = tuning.Read(parsed, static given => FinetuneOptions.Of(given.Preset)) with
                        {
                            Seed = parsed.GetValue(seed),
                        },
                        Decode = decode.Read(parsed),
                        Extraction = extraction.Read(parsed) with
                        {
                            Workers = parsed.GetValue(threads),
                            FewerWorkers = Common.IsDefault(parsed, threads),
                            Message = Messages.Note,
                            Progress = extracting.Progress,
                        },
                        Progress = training.Report,
                    },
                    cancellation
                );
                if (parsed.GetValue(json))
                    Json.Write(result);
                else
                    FinetuneView.Write(result);
                return Task.FromResult((int)ExitCode.Done);
            }
        );
        return command;
    }
}
