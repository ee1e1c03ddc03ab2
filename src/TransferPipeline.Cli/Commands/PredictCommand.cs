using System.CommandLine;
using System.Globalization;
using TransferPipeline.Cli.Output;
using TransferPipeline.Export;
using TransferPipeline.Pipelines;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer predict classifier.onnx FILE...</c>.</summary>
internal static class PredictCommand
{
    public static Command Create(string name, string summary)
    {
        var classifier = new Argument<string>("classifier") { Description = "A classifier file that transfer wrote." };
        var photos = new Argument<string[]>("photos") { Description = "Photos, or folders of photos.", Arity = ArgumentArity.OneOrMore };
        var top = new Option<int>("--top") { Description = "Classes to show.", DefaultValueFactory = _ => 3 };
        var (threads, json) = (Common.Threads(), Common.Json());
        var command = new Command(name, summary) { classifier, photos, top, threads, json };
        command.SetAction((parsed, cancellation) =>
        {
            using var model = Classifier.Open(parsed.GetValue(classifier)!, parsed.GetValue(threads));
            var predictions = new PhotoClassifier(Common.Tools.Decoder.Value, model).Predict(PhotoFileList.Of(parsed.GetValue(photos)!), cancellation);
            var shown = Math.Max(1, parsed.GetValue(top));
            if (parsed.GetValue(json))
                Json.Write(predictions.Select(p => new { p.File, p.Label, p.Probability, Top = p.Top(model.Info.Labels, shown).Select(t => new { t.Label, t.Probability }), p.Failure }));
            else
                foreach (var p in predictions.Where(p => p.Failure is null))
                    Console.WriteLine($"{p.File}: {string.Join("  ", p.Top(model.Info.Labels, shown).Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Label} {t.Probability:0.000}")))}");
            foreach (var p in predictions.Where(p => p.Failure is not null))
                Messages.Error($"{p.File}: {p.Failure}");
            return Task.FromResult((int)(predictions.Any(p => p.Failure is not null) ? ExitCode.Usage : ExitCode.Done));
        });
        return command;
    }
}
