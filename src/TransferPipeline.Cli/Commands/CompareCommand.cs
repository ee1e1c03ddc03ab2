using System.CommandLine;
using TransferPipeline.Cli.Output;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer compare --features DIR [--features DIR] --heads softmax,linear-svm,...</c>.</summary>
internal static class CompareCommand
{
    public const string DefaultHeads = "softmax,linear-svm,ridge,nearest-mean,knn";

    public static Command Create(string name, string summary)
    {
        var features = Common.Features(several: true);
        var heads = new Option<string>("--heads") { Description = "Heads, with options after a colon: softmax,linear-svm:C=0.1,knn:n_neighbors=[1,3,5].", DefaultValueFactory = _ => DefaultHeads };
        var set = Common.Set("Sets an option of all heads that have it (C=0.1) or of one (softmax.C=0.1); a list, logspace(a,b,n) or coarse-to-fine is a sweep.");
        var on = new Option<string>("--on") { Description = "The split that is reported.", DefaultValueFactory = _ => ComparisonOptions.Validation };
        var folds = new Option<int>("--folds") { Description = "Stratified k-fold instead of the split; 0 for the split." };
        var repeats = new Option<int>("--repeats") { Description = "Repetitions of the k-fold.", DefaultValueFactory = _ => 1 };
        var (seed, threads, json) = (Common.Seed(), Common.Threads(), Common.Json());
        var command = new Command(name, summary) { features, heads, set, on, folds, repeats, seed, threads, json };
        command.SetAction((parsed, cancellation) =>
        {
            var specs = HeadSpec.ParseList(parsed.GetValue(heads)!, parsed.GetValue(set) ?? [], Common.Tools.Trainers);
            var sources = parsed.GetValue(features)!.Select(f => Provenances.Load(FeatureSet.Open(f, Common.Tools.Table.Value))).ToList();
            var options = Provenances.Options(parsed.GetValue(threads)) with
            {
                Seed = parsed.GetValue(seed),
                ScoreSplit = parsed.GetValue(on)!,
                Folds = parsed.GetValue(folds),
                Repeats = parsed.GetValue(repeats),
                Cancellation = cancellation,
            };
            var run = Comparer.Run(options, sources, specs);
            if (parsed.GetValue(json))
                Console.WriteLine(ComparisonJson.Serialize(run.Result));
            else
                ComparisonView.Write(run.Result);
            foreach (var warning in run.Result.Warnings)
                Messages.Warning(warning);
            return Task.FromResult((int)ExitCode.Done);
        });
        return command;
    }
}
