using System.CommandLine;
using System.Globalization;
using TransferPipeline.Backbones;
using TransferPipeline.Cli.Output;
using TransferPipeline.Cli.Platform;
using TransferPipeline.Evaluation;
using TransferPipeline.Pipelines;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer run PIPELINE.yaml [--set a.b=c] [--out DIR]</c>.</summary>
internal static class RunCommand
{
    public static Command Create(string name, string summary)
    {
        var file = new Argument<string>("pipeline") { Description = "The pipeline, a YAML file." };
        var set = Common.Set("Replaces a value of the pipeline, as in --set evaluation.folds=5; may be given again.");
        var folder = Common.Out("Folder of all results; default out/<name of the pipeline>.", required: false);
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Check files, models, heads and disk space, print the plan and a time estimate, and do nothing.",
        };
        var (threads, json) = (Common.Threads(), Common.Json());
        var command = new Command(name, summary) { file, set, folder, dryRun, threads, json };
        command.SetAction(
            (parsed, cancellation) =>
            {
                var pipeline = PipelineReader.Read(parsed.GetValue(file)!, parsed.GetValue(set));
                pipeline = pipeline with { Extraction = pipeline.Extraction with { FewerWorkers = Common.IsDefault(parsed, threads) } };
                var tools = Common.Tools.With(pipeline.Decoder, pipeline.Parquet);
                var target = parsed.GetValue(folder) ?? Path.Combine("out", pipeline.Name);
                if (parsed.GetValue(dryRun))
                    return Task.FromResult(
                        (int)PlanView.Write(PipelinePlan.Make(tools, pipeline, target, parsed.GetValue(threads)), parsed.GetValue(json))
                    );
                var events = new PipelineEvents
                {
                    Note = Messages.Note,
                    Warn = Messages.Warning,
                    StartExtraction = ExtractionProgressView.Start,
                    StartTuning = TuningProgressView.Start,
                };
                var options = Provenances.Options(parsed.GetValue(threads));
                // With --json stdout has the JSON alone.
                if (pipeline.Summary && !parsed.GetValue(json))
                    WriteLayers(pipeline);
                var result = new PipelineRunner(tools, pipeline, target, events).Run(options, cancellation);
                if (parsed.GetValue(json))
                    // Without heads there is no comparison; stdout is one JSON object all the same.
                    Console.WriteLine(result.Run is { } run ? ComparisonJson.Serialize(run.Result) : "{}");
                else
                    Write(result, target);
                return Task.FromResult((int)ExitCode.Done);
            }
        );
        return command;
    }

    private static void WriteLayers(Pipeline pipeline)
    {
        foreach (var model in pipeline.Models.Select(m => m.Resolve(Common.Tools.Models)))
        {
            var backbone = Backbone.Open(model.File);
            ErrorPlace.Add(pipeline.Place("cut"), () => BackboneView.WriteLayers(backbone, json: false, model, pipeline.Cuts));
        }
    }

    private static void Write(PipelineResult result, string folder)
    {
        foreach (var (set, extraction, _, _) in result.Sets)
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{set.Folder}: {set.Rows} vectors of {set.Dimension} values ({extraction.Computed} computed, {extraction.Reused} "
                        + $"reused, {extraction.Failed} failed)"
                )
            );
        if (result.Run is { } run)
        {
            Console.WriteLine();
            ComparisonView.Write(run.Result);
            foreach (var warning in run.Result.Warnings)
                Messages.Warning(warning);
        }

        Console.WriteLine();
        Console.WriteLine("written:");
        foreach (var made in result.Sets)
            Console.WriteLine($"  {"feature set", -12} {made.Set.Folder}");
        foreach (var (purpose, path) in result.Files)
            Console.WriteLine($"  {purpose, -12} {path}");
        Console.WriteLine("next:");
        Console.WriteLine(
            $"  {Common.CommandName} compare --features {ShellWords.Quoted(result.Sets[0].Set.Folder)} --heads "
                + $"{ShellWords.Quoted("softmax,linear-svm:C=[0.001,0.01,0.1]")} --report {ShellWords.Quoted(NewReport(folder))}"
        );
        if (result.Files.TryGetValue("classifier", out var classifier))
            Console.WriteLine($"  {Common.CommandName} predict {ShellWords.Quoted(classifier)} PHOTO.jpg");
    }

    /// <summary>A name for another report, which replaces none that is there.</summary>
    private static string NewReport(string folder)
    {
        var file = Path.Combine(folder, "report.html");
        for (var i = 2; Path.Exists(file); i++)
            file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"report-{i}.html"));
        return file;
    }
}
