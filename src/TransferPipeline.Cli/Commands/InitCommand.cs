using System.CommandLine;
using System.Globalization;
using System.Text;
using TransferPipeline.Cli.Output;
using TransferPipeline.Cli.Platform;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Platform;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer init [PHOTOS]</c>: writes a commented pipeline for photos, and the schema by which editors complete it.</summary>
internal static class InitCommand
{
    private const string Schema = "pipeline.schema.json";

    /// <summary>With fewer photos to evaluate on, one split shows little; folds use every photo.</summary>
    private const int FewPhotos = 200;

    private const int UsualFolds = 5;

    public static Command Create(string name, string summary)
    {
        var data = new Argument<string>("photos")
        {
            Description = "A folder of class folders, a CSV, Parquet or tar file, or CIFAR's folder.",
            DefaultValueFactory = _ => ".",
        };
        var file = new Option<string>("--out")
        {
            Description = "The pipeline to write.",
            HelpName = "PATH",
            DefaultValueFactory = _ => "pipeline.yaml",
        };
        var json = Common.Json();
        var command = new Command(name, summary) { data, file, json };
        command.SetAction(
            (parsed, cancellation) =>
            {
                var target = parsed.GetValue(file)!;
                if (Path.Exists(target))
                    throw new UsageException($"{target} is there already; remove it, or name another file by --out");
                // On Windows con.yaml is a device, which is in no folder that the schema could be written into.
                if (OutputTarget.IsSpecial(target))
                    throw new UsageException($"{target} is a device, expected the name of a file");
                OutputTarget.RequireFile(target);
                var path = parsed.GetValue(data)!;
                // Without a share: the report then shows the splits that the data has of its own.
                var report = DatasetCheck.Run(
                    new DatasetOptions { Path = path, ValidationShare = 0 },
                    Common.Tools.PhotoTable,
                    cancellation
                );
                var folder = Path.GetDirectoryName(Path.GetFullPath(target))!;
                Directory.CreateDirectory(folder);
                // The schema first: once the pipeline is there, a second call refuses to write anything.
                var schema = Path.Combine(folder, Schema);
                DurableFile.WriteText(schema, SchemaText());
                DurableFile.WriteText(
                    target,
                    Pipeline(report, RelativePath(folder, path), FileNames.Portable(Path.GetFileNameWithoutExtension(target)))
                );
                // A few of them show what kind they are; 'data check' lists all.
                foreach (var problem in report.Problems.Take(5))
                    Messages.Warning(problem.ToString());
                if (parsed.GetValue(json))
                    Json.Write(
                        new
                        {
                            File = target,
                            Schema = schema,
                            report.Photos,
                            report.Classes,
                        }
                    );
                else
                    Console.WriteLine(
                        $"{target}: {report.Photos} photos of {report.Classes.Count} classes; edit it, then: "
                            + $"{Common.CommandName} run {ShellWords.Quoted(target)}"
                    );
                return Task.FromResult((int)ExitCode.Done);
            }
        );
        return command;
    }

    private static string Pipeline(DatasetReport report, string path, string name)
    {
        var splits = report.Counts.GroupBy(c => c.Split).ToDictionary(g => g.Key, g => g.Sum(c => c.Photos));
        var isSplit = splits.Keys.Any(s => s is Splits.Validation or Splits.Test);
        var counts = string.Join(", ", splits.Where(s => s.Key.Length > 0).Select(s => $"{s.Value} {s.Key}"));
        // A fifth, as the validation-share below holds out.
        var evaluated = isSplit ? splits.GetValueOrDefault(Splits.Validation) + splits.GetValueOrDefault(Splits.Test) : report.Photos / 5;
        // A fold of each class needs a photo of it.
        var smallest = report
            .Classes.Select(c => report.Counts.Where(n => n.Label == c && n.Split != Splits.Test).Sum(n => n.Photos))
            .DefaultIfEmpty()
            .Min();
        var folds = Math.Clamp(smallest, 2, UsualFolds);
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"""
            # yaml-language-server: $schema={Schema}
            # {report.Photos} photos of {report.Classes.Count} classes ({PlainText.Of(report.Form)}){(
                counts.Length > 0 ? ": " + counts : ""
            )}.
            # Paths are relative to this file. Every key is described in {Schema}, which editors use.
            name: {Quoted(name)}
            data:
              path: {Quoted(path)}
            {(isSplit ? "" : "  validation-share: 0.2      # of each class, held out; the photos have no splits of their own\n")}
            # The network that turns photos into vectors, once. `transfer models list` has more; a list compares several.
            model: {Common.DefaultModel}
            # cut: features             # another layer than the one before the classifier

            # Random copies of the training photos, for few photos or an mlp:
            # augment:
            #   - random-resized-crop: {"{"}size: 224{"}"}
            #   - random-horizontal-flip: {"{"}p: 0.5{"}"}
            # views: 4

            # Classifiers on the vectors, compared on the same photos. A list or logspace is a sweep, chosen inside the training part.
            heads:
              - softmax: {"{"}C: "logspace(-3, 1, 9)"{"}"}
              - linear-svm: {"{"}C: [0.001, 0.01, 0.1]{"}"}
              - ridge: {"{"}alpha: "logspace(0, 4, 9)"{"}"}
              - lda
              - knn: {"{"}n_neighbors: [1, 3, 5, 9]{"}"}

            evaluation:
              protocol: {(evaluated < FewPhotos ? "k-fold                # one split of so few photos says little" : "split")}
              {(evaluated < FewPhotos ? $"folds: {folds}" : "# protocol: k-fold          # every photo is evaluated once\n  # folds: 5")}
              data-check: true            # duplicates across splits, and labels that look wrong

            export: classifier.onnx       # backbone, best head and labels in one file
            report: report.html           # everything on one page

            """
        );
        return text.ToString().ReplaceLineEndings("\n");
    }

    /// <summary>With '/' on every platform; absolute where the photos are on another drive.</summary>
    private static string RelativePath(string folder, string path) =>
        Path.GetRelativePath(folder, Path.GetFullPath(path)).Replace(Path.DirectorySeparatorChar, '/');

    /// <summary>As YAML takes it for text whatever it looks like: doubled apostrophes within apostrophes.</summary>
    private static string Quoted(string text) =>
        text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '/' or '.')
        && char.IsAsciiLetter(text.FirstOrDefault())
        && !text.Equals("null", StringComparison.OrdinalIgnoreCase)
            ? text
            : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string SchemaText()
    {
        using var stream = typeof(InitCommand).Assembly.GetManifestResourceStream(Schema)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
