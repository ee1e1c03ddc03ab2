using System.CommandLine;
using TransferPipeline.Cli.Output;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Jobs;
using TransferPipeline.Reports;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer compare --features DIR [--features DIR] --heads softmax,linear-svm,...</c>.</summary>
internal static class CompareCommand
{
    public const string DefaultHeads = "softmax,linear-svm,ridge,nearest-mean,knn";

    public static Command Create(string name, string summary)
    {
        var features = Common.Features(several: true);
        var heads = new Option<string>("--heads") { Description = "Heads, with options after a colon: softmax,linear-svm:C=0.1,knn:n_neighbors=[1,3,5].", HelpName = "HEAD,HEAD,...", DefaultValueFactory = _ => DefaultHeads };
        var set = Common.Set("Sets an option of all heads that have it (C=0.1) or of one (softmax.C=0.1); a list, logspace(a,b,n) or coarse-to-fine is a sweep.");
        var on = new Option<string>("--on") { Description = "The split that is reported.", HelpName = "validation|test", DefaultValueFactory = _ => ComparisonOptions.Validation };
        var folds = new Option<int>("--folds") { Description = "Stratified k-fold instead of the split; 0 for the split.", DefaultValueFactory = _ => 0 };
        var repeats = new Option<int>("--repeats") { Description = "Repetitions of the k-fold.", DefaultValueFactory = _ => 1 };
        var chooseBy = Common.Choice("--choose-by", "What chooses the values of sweeps: folds inside the training part, or the validation split when test is reported.", "inner-folds", "validation");
        var group = new Option<bool>("--group-near-duplicates") { Description = "Keep near-duplicates in one fold." };
        var alike = Common.Number("--near-duplicate-cosine", "Cosine of two vectors from which their photos count as near-duplicates.", ComparisonOptions.DefaultNearDuplicateCosine, 0.5, 1.0);
        var watch = new Option<bool>("--watch-reported-split") { Description = "Let heads that keep their best epoch watch the reported split, as tutorials do." };
        var fewShot = new Option<int[]>("--few-shot") { Description = "Training photos a class of a few-shot curve, as in --few-shot 1 2 4 8 16.", AllowMultipleArgumentsPerToken = true };
        var draws = new Option<int>("--draws") { Description = "Random draws a point of the few-shot curve.", DefaultValueFactory = _ => 5 };
        var calibrate = new Option<bool>("--calibrate") { Description = "Temperature scaling, with the calibration error before and after." };
        var check = new Option<bool>("--check-data") { Description = "Look for near-duplicates, suspect labels and outliers." };
        var report = new Option<string?>("--report") { Description = "Write an HTML page with all of it.", HelpName = "out.html" };
        var photos = new Option<string?>("--data") { Description = "The photos, for the report's thumbnails, where they have moved.", HelpName = "PATH" };
        var (seed, threads, json) = (Common.Seed(), Common.Threads(), Common.Json());
        var command = new Command(name, summary) { features, heads, set, on, folds, repeats, chooseBy, group, alike, watch, fewShot, draws, calibrate, check, report, photos, seed, threads, json };
        var chosen = new ToolFlags();
        chosen.AddTo(command, decodes: false);
        command.SetAction((parsed, cancellation) =>
        {
            var specs = HeadSpec.ParseList(parsed.GetValue(heads)!, parsed.GetValue(set) ?? [], Common.Tools.Trainers);
            var tools = chosen.Read(parsed);
            var sets = parsed.GetValue(features)!.Select(f => FeatureSet.Open(f, tools.Table)).ToList();
            var sources = sets.ConvertAll(Provenances.Load);
            var options = Provenances.Options(parsed.GetValue(threads)) with
            {
                Seed = parsed.GetValue(seed),
                ScoreSplit = parsed.GetValue(on)!,
                Folds = parsed.GetValue(folds),
                Repeats = parsed.GetValue(repeats),
                ChooseBy = parsed.GetValue(chooseBy) == "validation" ? ChooseBy.Validation : ChooseBy.InnerFolds,
                GroupNearDuplicates = parsed.GetValue(group),
                NearDuplicateCosine = parsed.GetValue(alike),
                WatchReportedSplit = parsed.GetValue(watch),
                FewShotPerClass = parsed.GetValue(fewShot) ?? [],
                FewShotDraws = parsed.GetValue(draws),
                Calibrate = parsed.GetValue(calibrate),
                CheckData = parsed.GetValue(check),
                Map = parsed.GetValue(report) is not null,
                Cancellation = cancellation,
            };
            var run = Comparer.Run(options, sources, specs);
            if (parsed.GetValue(json))
                Console.WriteLine(ComparisonJson.Serialize(run.Result));
            else
                ComparisonView.Write(run.Result);
            foreach (var warning in run.Result.Warnings)
                Messages.Warning(warning);
            if (parsed.GetValue(report) is { } page)
            {
                using var dataset = Photos.Open(parsed.GetValue(photos), sets[0]);
                ComparisonReport.Write(page, run.Result, new PhotoThumbnails(dataset, Common.Tools.Decoder, Common.Tools.Encoder).Of);
                Messages.Note($"written: {page}");
                if (dataset is null)
                    Messages.Note($"the page is without pictures: the photos are not at {sets[0].Manifest.Dataset}, where they were at the extraction; --data says where they are");
            }

            return Task.FromResult((int)ExitCode.Done);
        });
        return command;
    }
}
