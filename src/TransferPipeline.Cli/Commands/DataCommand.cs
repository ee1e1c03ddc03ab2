using System.CommandLine;
using System.Globalization;
using TransferPipeline.Cli.Output;
using TransferPipeline.Datasets;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer data check --data DIR</c>.</summary>
internal static class DataCommand
{
    public static Command Create(string name, string summary) => new(name, summary) { Check() };

    private static Command Check()
    {
        var data = new DataOptions();
        var json = Common.Json();
        var command = new Command("check", "Counts the photos of each class and split and lists what is wrong.") { json };
        data.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var report = DatasetCheck.Run(data.Read(parsed), Common.Tools.PhotoTable, cancellation);
            if (parsed.GetValue(json))
                Json.Write(report);
            else
                Write(report);
            return Task.FromResult((int)ExitCode.Done);
        });
        return command;
    }

    private static void Write(DatasetReport report)
    {
        var splits = report.Counts.Select(c => c.Split).Distinct().ToArray();
        Console.WriteLine($"read as: {PlainText.Of(report.Form)}");
        Tables.Write(
            ["class", .. splits.Select(s => ">" + s)],
            report.Classes.Select(label => new[] { label }.Concat(splits.Select(s => report.Counts.Single(c => c.Split == s && c.Label == label).Photos.ToString(CultureInfo.InvariantCulture))).ToArray()));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Source}: {report.Photos} photos, {report.Classes.Count} classes, {report.Bytes / 1e6:0.0} MB ({report.Kind.ToString().ToLowerInvariant()})"));
        if (report.Problems.Count == 0)
            Console.WriteLine("no problems");
        else
            Tables.Write(["photo or folder", "problem"], report.Problems.Select(p => new[] { p.Path, p.Problem }));
    }
}
