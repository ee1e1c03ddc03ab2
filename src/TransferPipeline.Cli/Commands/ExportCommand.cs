using System.CommandLine;
using TransferPipeline.Cli.Output;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Commands;

/// <summary>
/// <c>transfer export comparison.json [--head NAME] --out classifier.onnx</c>: the head that a comparison found, as one file.
/// </summary>
internal static class ExportCommand
{
    public static Command Create(string name, string summary)
    {
        var comparison = new Argument<string>("comparison.json")
        {
            Description = "What transfer compare --json printed, or transfer run wrote.",
        };
        var head = new Option<string?>("--head")
        {
            Description = "A head of the comparison, by name or by its whole title; without it the most accurate one.",
            HelpName = "NAME",
        };
        var features = new Option<string?>("--features") { Description = "The feature set, where it has moved.", HelpName = "DIR" };
        var model = Common.BackboneOfSet();
        var data = Common.PhotosOfSet("replay");
        var file = Common.Out("The classifier file.");
        var (threads, json) = (Common.Threads(), Common.Json());
        var command = new Command(name, summary) { comparison, head, features, model, data, file, threads, json };
        var chosen = new ToolFlags();
        chosen.AddTo(command, decodes: false);
        command.SetAction(
            (parsed, cancellation) =>
            {
                var tools = chosen.Read(parsed);
                var source = parsed.GetValue(comparison)!;
                // Before the fit, whose result it takes.
                Common.RequireResult(parsed.GetValue(file)!, source, parsed.GetValue(model), parsed.GetValue(data));
                var compared = ComparedHead.Read(source, parsed.GetValue(head));
                if (compared.Name == Heads.Tuned.HeadName)
                    throw new UsageException(
                        $"{compared.Title} was trained with its backbone: its classifier is {compared.Parameters["file"]}, as "
                            + $"finetune wrote it"
                    );
                var trainer = Common.Tools.Trainer(compared.Name);
                ClassifierBuilder.RequireExportable(trainer);
                var set = FeatureSet.Open(parsed.GetValue(features) ?? compared.Folder, tools.Table);
                using var dataset = Photos.Open(parsed.GetValue(data), set, tools);
                var rows = Provenances.Load(set);
                CheckSame(source, compared, set, rows.Data);
                var backbone = Common.Tools.Models.Resolve(parsed.GetValue(model) ?? set.Recipe.Model);
                var spec = HeadSpec.Create(trainer, compared.Parameters);
                var options = Provenances.Options(parsed.GetValue(threads)) with { Seed = compared.Seed, Cancellation = cancellation };
                // With the comparison's own seed, so that the head that was evaluated comes out again.
                var run = HeadTraining.Run(options, rows, spec, compared.Training);
                var check = new ClassifierBuilder(tools, set, backbone).Write(
                    parsed.GetValue(file)!,
                    run.Head,
                    rows.Data,
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
                            Head = compared.Name,
                            compared.Title,
                            Parameters = run.Head.Options.Values,
                            Check = check,
                        }
                    );
                else
                    Console.WriteLine($"{parsed.GetValue(file)}: {compared.Title} on {set.Recipe.Model}; {check}");
                return Task.FromResult((int)ExitCode.Done);
            }
        );
        return command;
    }

    /// <summary>The classifier must be the one that was evaluated, so its vectors must be those that were compared.</summary>
    private static void CheckSame(string source, ComparedHead compared, FeatureSet set, FeatureData data)
    {
        foreach (var (field, value) in set.Recipe.Fields())
        {
            var then = compared.Recipe.GetValueOrDefault(field, "nothing");
            // Older comparisons name a library here, recipes the pixels that it gives.
            if (field == "decoder")
                then = Recipe.PixelsOf(then);
            if (then != value)
                throw new BadInputException($"{set.Folder}: its {field} is {value}, expected {then} as in {source}; compare again");
        }

        // Labels and splits are no part of a recipe and may have changed since.
        foreach (var (split, then) in compared.Counts)
        {
            var now = new int[data.Classes.Count];
            foreach (var row in data.RowsOf(split))
                now[data.Y[row]]++;
            if (!now.AsSpan().SequenceEqual(then))
                throw new BadInputException(
                    $"{set.Folder} has {now.Sum()} photos in split {split} ({string.Join(", ", now)} by class), expected {then.Sum()} "
                        + $"({string.Join(", ", then)}) as in {source}; compare again"
                );
        }

        if (compared.PhotosSha256 is { } photos && photos != data.PhotosSha256())
            throw new BadInputException($"{set.Folder}: photos were replaced, or their labels changed, since {source}; compare again");
    }
}
