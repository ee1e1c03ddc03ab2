using System.CommandLine;
using System.Globalization;
using TransferPipeline.Cli.Output;
using TransferPipeline.Export;
using TransferPipeline.Pipelines;
using TransferPipeline.Reports;
using TransferPipeline.Reports.Thumbnails;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer predict classifier.onnx FILE... [--html out.html]</c>.</summary>
internal static class PredictCommand
{
    public static Command Create(string name, string summary)
    {
        var classifier = new Argument<string>("classifier") { Description = "A classifier file that transfer wrote." };
        var photos = new Argument<string[]>("photos") { Description = "Photos, or folders of photos.", Arity = ArgumentArity.OneOrMore };
        var top = Common.Number("--top", "Classes to show.", 3, 1, 1_000_000);
        var html = new Option<string?>("--html") { Description = "Also write a page with the photos; a photo whose folder has the name of a class is shown with that as its true class." };
        var (threads, json) = (Common.Threads(), Common.Json());
        var command = new Command(name, summary) { classifier, photos, top, html, threads, json };
        command.SetAction((parsed, cancellation) =>
        {
            using var model = Classifier.Open(parsed.GetValue(classifier)!, parsed.GetValue(threads));
            var files = PhotoFileList.Of(parsed.GetValue(photos)!).Select(f => new PhotoFile(f)).ToList();
            var predictions = new PhotoClassifier(Common.Tools.Decoder.Value, model).Predict(files, cancellation);
            var (labels, shown) = (model.Info.Labels, parsed.GetValue(top));
            if (parsed.GetValue(json))
                Json.Write(predictions.Select(p => new { File = p.Photo.Name, p.Label, p.Probability, Top = p.Top(labels, shown).Select(t => new { t.Label, t.Probability }), p.Failure }));
            else
                foreach (var p in predictions.Where(p => p.Failure is null))
                    Console.WriteLine(PlainText.Of($"{p.Photo.Name}: {string.Join("  ", p.Top(labels, shown).Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Label} {t.Probability:0.000}")))}"));
            foreach (var p in predictions.Where(p => p.Failure is not null))
                Messages.Error($"{p.Photo.Name}: {p.Failure}");
            if (parsed.GetValue(html) is { } page)
                WritePage(page, model, predictions);
            return Task.FromResult((int)(predictions.Any(p => p.Failure is not null) ? ExitCode.Usage : ExitCode.Done));
        });
        return command;
    }

    private static void WritePage(string file, Classifier model, IReadOnlyList<PhotoPrediction> predictions)
    {
        var thumbnails = new ThumbnailMaker(Common.Tools.Decoder.Value, Common.Tools.Encoder.Value, PredictionsPage.ThumbnailSide);
        var photos = predictions.Where(p => p.Failure is null).Select(p => p.ToPage(model.Info.Labels, TrueLabel(p.Photo.Name, model.Info.Labels))).ToList();
        PredictionsPage.Write(file, Path.GetFileName(model.File), photos, path => thumbnails.Make(File.ReadAllBytes(path)));
        Messages.Note($"written: {file}");
    }

    private static string? TrueLabel(string file, IReadOnlyList<string> labels) =>
        Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(file))) is { } folder && labels.Contains(folder) ? folder : null;
}
