using System.CommandLine;
using System.Globalization;
using TransferPipeline.Cli.Output;
using TransferPipeline.Datasets;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer data check --data DIR</c>.</summary>
internal static class DataCommand
{
    public static Command Create(string name, string summary) => new(name, summary) { Check() };

    private static Command Check()
    {
        var data = new DataOptions();
        var decode = new Option<bool>("--decode")
        {
            Description = "Decode every photo and list those that cannot be used, before any work; exit code 2 when there are some.",
        };
        var (threads, json) = (Common.Threads(), Common.Json());
        var command = new Command("check", "Counts the photos of each class and split and lists what is wrong.") { decode, threads, json };
        var chosen = new ToolFlags();
        chosen.AddTo(command);
        data.AddTo(command);
        command.SetAction(
            (parsed, cancellation) =>
            {
                var tools = chosen.Read(parsed);
                var report = DatasetCheck.Run(data.Read(parsed), tools.PhotoTable, cancellation);
                var bad = parsed.GetValue(decode) ? Decode(data.Read(parsed), tools, parsed.GetValue(threads), cancellation) : [];
                // Photos without bytes are among the problems already.
                var empty = report.Problems.Where(p => p.Problem == PhotoFiles.Empty).Select(p => p.Path).ToHashSet(StringComparer.Ordinal);
                report = report with { Problems = [.. report.Problems, .. bad.Where(p => !empty.Contains(p.Path))] };
                if (parsed.GetValue(json))
                    Json.Write(report);
                else
                    Write(report);
                if (bad.Count > 0)
                    Messages.Error(string.Create(CultureInfo.InvariantCulture, $"{bad.Count} of {report.Photos} photos cannot be used"));
                return Task.FromResult((int)(bad.Count > 0 ? ExitCode.Usage : ExitCode.Done));
            }
        );
        return command;
    }

    private static IReadOnlyList<DatasetProblem> Decode(DatasetOptions options, Toolbox tools, int threads, CancellationToken cancellation)
    {
        using var dataset = DatasetReader.Open(options, tools.PhotoTable);
        return PhotoCheck.Run(dataset, tools.Decoder, new(), threads, cancellation: cancellation);
    }

    private static void Write(DatasetReport report)
    {
        var splits = report.Counts.Select(c => c.Split).Distinct().ToArray();
        Console.WriteLine($"read as: {PlainText.Of(report.Form)}");
        Tables.Write(
            ["class", .. splits.Select(s => ">" + s)],
            report.Classes.Select(label =>
                new[] { label }
                    .Concat(
                        splits.Select(s =>
                            report.Counts.Single(c => c.Split == s && c.Label == label).Photos.ToString(CultureInfo.InvariantCulture)
                        )
                    )
                    .ToArray()
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{report.Source}: {report.Photos} photos, {report.Classes.Count} classes, {report.Bytes / 1e6:0.0} MB "
                    + $"({report.Kind.ToString().ToLowerInvariant()})"
            )
        );
        if (report.Problems.Count == 0)
            Console.WriteLine("no problems");
        else
            Tables.Write(["photo or folder", "problem"], report.Problems.Select(p => new[] { p.Path, p.Problem }));
    }
}
