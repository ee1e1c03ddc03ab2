using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using TransferPipeline.Classifiers;
using TransferPipeline.Cli.Output;
using TransferPipeline.Images;
using TransferPipeline.Jobs;
using TransferPipeline.Reports;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer predict classifier.onnx FILE|DIR... [--format csv] [--html out.html]</c>.</summary>
internal static class PredictCommand
{
    public static Command Create(string name, string summary)
    {
        var classifier = new Argument<string>("classifier") { Description = "A classifier file that transfer wrote." };
        var photos = new Argument<string[]>("photos")
        {
            Description =
                "Photos, folders with all photos below them, or - for names on stdin: one per line, or each ended by a zero byte.",
            Arity = ArgumentArity.OneOrMore,
        };
        var top = Common.Whole("--top", "Classes to show.", 3, new(1, 1_000_000));
        var format = Common.Choice(
            "--format",
            "How predictions are written to stdout, in the order of the photos: lines for people, CSV, JSON lines, or one JSON array.",
            PredictionWriter.Formats
        );
        var all = new Option<bool>("--probabilities") { Description = "The probability of every class; in CSV as columns p_CLASS." };
        var html = new Option<string?>("--html")
        {
            Description =
                "Also write a page with the photos; a photo whose folder has the name of a class is shown with that as its true class.",
            HelpName = "PATH",
        };
        var threads = Common.Threads();
        var json = new Option<bool>("--json") { Description = "The same as --format json." };
        var command = new Command(name, summary) { classifier, photos, top, format, all, html, threads, json };
        var chosen = new ToolFlags();
        chosen.AddTo(command, tables: false);
        command.SetAction(
            (parsed, cancellation) =>
            {
                // One thread per session: photos are classified beside each other.
                using var model = Classifier.Open(parsed.GetValue(classifier)!, threads: 1);
                var decoder = Decoder(model, chosen.Read(parsed), chosen.HasDecoder(parsed));
                var files = PhotoFileList
                    .Of(parsed.GetValue(photos)!, Console.OpenStandardInput(), Messages.Note)
                    .Select(f => new PhotoFile(f))
                    .ToList();
                if (parsed.GetValue(html) is { } file)
                    Common.RequireResult(file, files.Select(f => f.Name).Prepend(parsed.GetValue(classifier)));
                // A buffer of its own, since Console.Out flushes after every write.
                using var output = new OutputWriter(
                    new StreamWriter(Console.OpenStandardOutput(), bufferSize: 1 << 16)
                    {
                        NewLine = "\n",
                        AutoFlush = !Console.IsOutputRedirected,
                    }
                );
                // Disposed after an interrupt too, which closes a JSON array.
                using var writer = PredictionWriter.Create(
                    parsed.GetValue(json) ? "json" : parsed.GetValue(format)!,
                    output,
                    model.Info.Labels,
                    parsed.GetValue(top),
                    parsed.GetValue(all)
                );
                // Without a page no prediction is kept, so that memory does not grow with the photos.
                var (page, failed) = (new ReportPhotos(parsed.GetValue(html) is null ? 0 : ReportPhotos.MostOfAPage), 0);
                var progress = new Progress(files.Count);
                foreach (var prediction in new PhotoClassifier(decoder, model).Predict(files, parsed.GetValue(threads), cancellation))
                {
                    writer.Write(prediction);
                    if (prediction.Failure is null)
                        page.Add(prediction.ToPage(model.Info.Labels, TrueLabel(prediction.Photo.Name, model.Info.Labels)));
                    else
                        Report(prediction, ref failed);
                    progress.Next();
                }

                progress.End();
                Summarize(files.Count, failed, page);
                if (parsed.GetValue(html) is { } target)
                    WritePage(target, model, decoder, page);
                return Task.FromResult((int)(failed > 0 ? ExitCode.Usage : ExitCode.Done));
            }
        );
        return command;
    }

    /// <summary>The decoder whose pixels the classifier was trained on, unless another was chosen or it is not here.</summary>
    private static IImageDecoder Decoder(Classifier model, Toolbox tools, bool isChosen)
    {
        var trained = model.Info.Recipe.GetValueOrDefault("decoder");
        var same = trained is null ? null : tools.DecoderOf(trained);
        var decoder = isChosen || same is null ? tools.Decoder : same;
        if (trained is not null && decoder.Name != same?.Name)
            Messages.Warning(
                $"{model.File} was trained on photos decoded by {trained}, {decoder.Name} "
                    + $"{(isChosen ? "was chosen" : "is used, since that is not here")}: probabilities can differ"
            );
        return decoder;
    }

    private static void Report(PhotoPrediction prediction, ref int failed)
    {
        failed++;
        Messages.Error($"{prediction.Photo.Name}: {prediction.Failure}");
    }

    private static void Summarize(int photos, int failed, ReportPhotos page)
    {
        if (page.Known > 0)
            Messages.Note(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"right: {page.Right} of {page.Known} photos in folders with the name of a class "
                        + $"({(double)page.Right / page.Known:0.000})"
                )
            );
        if (failed > 1)
            Messages.Error($"{failed} of {photos} photos could not be used");
    }

    private static void WritePage(string file, Classifier model, IImageDecoder decoder, ReportPhotos photos)
    {
        var thumbnails = new ThumbnailMaker(decoder, Common.Tools.Encoder, PredictionsPage.ThumbnailSide);
        PredictionsPage.Write(file, Path.GetFileName(model.File), photos, path => thumbnails.Make(File.ReadAllBytes(path)));
        Messages.Note($"written: {file}");
    }

    private static string? TrueLabel(string file, IReadOnlyList<string> labels) =>
        Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(file))) is { } folder && labels.Contains(folder) ? folder : null;

    /// <summary>How far it is, where the predictions themselves do not show that.</summary>
    private sealed class Progress(int photos)
    {
        private readonly StatusLine? _line = Console.IsOutputRedirected ? new() : null;
        private readonly long _start = Stopwatch.GetTimestamp();
        private int _done;

        public void Next()
        {
            var done = ++_done;
            _line?.Report(
                isLast: false,
                () =>
                {
                    var rate = done / Stopwatch.GetElapsedTime(_start).TotalSeconds;
                    return
                    [
                        $"{done}/{photos}",
                        string.Create(CultureInfo.InvariantCulture, $"{rate:0} per second"),
                        $"{StatusLine.Time(TimeSpan.FromSeconds((photos - done) / rate))} left",
                    ];
                }
            );
        }

        public void End() => _line?.End();
    }
}
