using System.CommandLine;
using TransferPipeline.Classifiers;
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
        var heads = new Option<string>("--heads")
        {
            Description = "Heads, with options after a colon: softmax,linear-svm:C=0.1,knn:n_neighbors=[1,3,5].",
            HelpName = "HEAD,HEAD,...",
            DefaultValueFactory = _ => DefaultHeads,
        };
        var set = Common.Set(
            "Sets an option of all heads that have it (C=0.1) or of one (softmax.C=0.1); a list, logspace(a,b,n) or coarse-to-fine is "
                + "a sweep."
        );
        var comparison = new OptionFlags<ComparisonOptions>();
        var report = new Option<string?>("--report") { Description = "Write an HTML page with all of it.", HelpName = "out.html" };
        var photos = Common.PhotosOfSet("report's thumbnails");
        var classifiers = new Option<string[]>("--classifier")
        {
            Description = "A classifier of finetune, whose head is compared as it is on the feature set of its backbone.",
            HelpName = "FILE.onnx",
        };
        var (seed, threads, json) = (Common.Seed(), Common.Threads(), Common.Json());
        var command = new Command(name, summary) { features, heads, set, classifiers, report, photos, seed, threads, json };
        comparison.AddTo(command);
        var chosen = new ToolFlags();
        chosen.AddTo(command, decodes: false);
        command.SetAction(
            (parsed, cancellation) =>
            {
                // Before the sets are loaded, so that a misspelt head is reported at once.
                var specs = HeadSpec.ParseList(parsed.GetValue(heads)!, parsed.GetValue(set) ?? [], Common.Tools.Trainers);
                if (parsed.GetValue(report) is { } target)
                    Common.RequireResult(target, [.. parsed.GetValue(classifiers) ?? [], parsed.GetValue(photos)]);
                var tools = chosen.Read(parsed);
                var sets = parsed.GetValue(features)!.Select(f => FeatureSet.Open(f, tools.Table)).ToList();
                var sources = sets.ConvertAll(Provenances.Load);
                // Before the fits, so that photos which are not there are reported at once.
                using var dataset = parsed.GetValue(report) is null ? null : Photos.Open(parsed.GetValue(photos), sets[0], tools);
                foreach (var classifier in parsed.GetValue(classifiers) ?? [])
                    AddHead(sources, sets, classifier);
                var options = Provenances.Complete(comparison.Read(parsed)) with
                {
                    Threads = parsed.GetValue(threads),
                    Seed = parsed.GetValue(seed),
                    // The map is part of the page alone, and takes time.
                    Map = parsed.GetValue(report) is not null,
                    Cancellation = cancellation,
                };
                var run = Comparer.Run(options, sources, specs);
                if (parsed.GetValue(json))
                    Console.WriteLine(ComparisonJson.Serialize(run.Result));
                else
                {
                    ComparisonView.Write(run.Result);
                    ComparisonView.WriteMore(run.Result);
                }

                foreach (var warning in run.Result.Warnings)
                    Messages.Warning(warning);
                if (parsed.GetValue(report) is { } page)
                {
                    ComparisonReport.Write(page, run.Result, new PhotoThumbnails(dataset, tools.Decoder, tools.Encoder).Of);
                    Messages.Note($"written: {page}");
                    if (dataset is null)
                        Messages.Note(
                            $"the page is without pictures: the photos are not at {sets[0].Manifest.Dataset}, where they were at the "
                                + $"extraction; --data says where they are"
                        );
                }

                return Task.FromResult((int)ExitCode.Done);
            }
        );
        return command;
    }

    /// <summary>Adds a classifier's head to the feature set that was made with its backbone.</summary>
    private static void AddHead(List<FeatureSource> sources, List<FeatureSet> sets, string classifier)
    {
        var (_, info) = TunedHeads.Read(classifier);
        var at = sets.FindIndex(s => TunedHeads.Fits(s, info));
        // Where no set fits, the message states in what the first one differs.
        sources[Math.Max(0, at)] = TunedHeads.On(sources[Math.Max(0, at)], sets[Math.Max(0, at)], classifier);
    }
}
