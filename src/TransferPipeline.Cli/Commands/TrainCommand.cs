using System.CommandLine;
using System.Globalization;
using TransferPipeline.Cli.Output;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Heads.Common;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer train --features DIR --head NAME [--set C=0.01] --out classifier.onnx</c>.</summary>
internal static class TrainCommand
{
    public static Command Create(string name, string summary)
    {
        var features = new Option<string>("--features")
        {
            Description = "Folder of the feature set.",
            Required = true,
            HelpName = "DIR",
        };
        var head = new Option<string>("--head")
        {
            Description = "The head (see transfer heads).",
            Required = true,
            HelpName = "NAME",
        };
        var set = Common.Set("Sets an option of the head, as in --set C=0.01; a sweep is chosen by inner folds.");
        var model = Common.BackboneOfSet();
        var data = Common.PhotosOfSet("replay");
        var stream = new Option<bool>("--stream")
        {
            Description =
                "Read the vectors in blocks, with bounded memory: softmax, logistic, linear-svm and ridge. While it lasts a file as "
                + "large as the vectors lies beside --out.",
        };
        var file = Common.Out("The classifier file.");
        var (seed, threads, json) = (Common.Seed(), Common.Threads(), Common.Json());
        var command = new Command(name, summary) { features, head, set, model, data, stream, file, seed, threads, json };
        var chosen = new ToolFlags();
        chosen.AddTo(command, decodes: false);
        command.SetAction(
            (parsed, cancellation) =>
            {
                var specs = HeadSpec.ParseList(parsed.GetValue(head)!, parsed.GetValue(set) ?? [], Common.Tools.Trainers);
                if (specs.Count != 1)
                    throw new UsageException("--head takes one head; transfer compare trains several");
                // Before the fit, whose result they take.
                ClassifierBuilder.RequireExportable(specs[0].Trainer);
                Common.RequireResult(parsed.GetValue(file)!, parsed.GetValue(model), parsed.GetValue(data));
                var tools = chosen.Read(parsed);
                var folder = FeatureSet.Open(parsed.GetValue(features)!, tools.Table);
                var backbone = Common.Tools.Models.Resolve(parsed.GetValue(model) ?? folder.Recipe.Model);
                using var dataset = Photos.Open(parsed.GetValue(data), folder, tools);
                var (run, rows) = parsed.GetValue(stream)
                    ? TrainStreamed(
                        folder,
                        tools.Table,
                        specs[0],
                        Path.GetDirectoryName(Path.GetFullPath(parsed.GetValue(file)!))!,
                        parsed.GetValue(threads),
                        cancellation
                    )
                    : TrainInMemory(
                        folder,
                        specs[0],
                        Provenances.Options(parsed.GetValue(threads)) with
                        {
                            Seed = parsed.GetValue(seed),
                            Cancellation = cancellation,
                        }
                    );
                var check = new ClassifierBuilder(tools, folder, backbone).Write(
                    parsed.GetValue(file)!,
                    run.Head,
                    rows,
                    dataset,
                    cancellation
                );
                foreach (var warning in run.Warnings)
                    Messages.Warning(warning);
                if (parsed.GetValue(json))
                    Json.Write(
                        new
                        {
                            File = parsed.GetValue(file),
                            Head = run.Head.Name,
                            Parameters = run.Head.Options.Values,
                            run.FitSeconds,
                            run.Head.Fit.Objective,
                            run.Head.Fit.RelativeGap,
                            run.Head.Fit.Iterations,
                            run.Head.Fit.Passes,
                            run.Head.Fit.Converged,
                            Check = check,
                        }
                    );
                else
                    Console.WriteLine(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{parsed.GetValue(file)}: {specs[0].TitleWith(run.Head.Options)} on {folder.Recipe.Model}, trained in "
                                + $"{run.FitSeconds:0.000} s; {check}"
                        )
                    );
                return Task.FromResult((int)ExitCode.Done);
            }
        );
        return command;
    }

    private static (TrainedHead, FeatureData) TrainInMemory(FeatureSet set, HeadSpec spec, ComparisonOptions options)
    {
        var source = Provenances.Load(set);
        return (HeadTraining.Run(options, source, spec, HeadTraining.UsualSplits), source.Data);
    }

    private static (TrainedHead, FeatureData) TrainStreamed(
        FeatureSet set,
        IFeatureTable table,
        HeadSpec spec,
        string scratch,
        int threads,
        CancellationToken cancellation
    )
    {
        var warnings = new List<string>();
        var context = new TrainingContext
        {
            Threads = threads,
            Warn = warnings.Add,
            Cancellation = cancellation,
        };
        var (head, seconds, firstPart) = StreamedTraining.Run(set, table, spec, scratch, context);
        return (new(head, seconds, [], warnings), firstPart);
    }
}
