using System.CommandLine;
using System.Globalization;
using TransferPipeline.Cli.Output;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer features show|verify|list|export|merge|drift</c>.</summary>
internal static class FeaturesCommand
{
    public static Command Create(string name, string summary) =>
        new(name, summary) { Show(), Verify(), List(), Export(), Merge(), Drift() };

    private static Argument<string> Folder() => new("dir") { Description = "Folder of the feature set." };

    /// <summary>A subcommand that reads sets with the Parquet library of --parquet.</summary>
    private static (Command Command, ToolFlags Chosen) Reading(Command command)
    {
        var chosen = new ToolFlags();
        chosen.AddTo(command, decodes: false);
        return (command, chosen);
    }

    private static Command Show()
    {
        var (folder, json) = (Folder(), Common.Json());
        var (command, chosen) = Reading(
            new Command("show", "The recipe, the counts and the failed photos of a feature set.") { folder, json }
        );
        command.SetAction(parsed =>
        {
            var set = FeatureSet.Open(parsed.GetValue(folder)!, chosen.Read(parsed).Table);
            var rows = set.LoadRows();
            var failed = set.LoadFailed();
            if (parsed.GetValue(json))
            {
                Json.Write(
                    new
                    {
                        set.Folder,
                        set.Rows,
                        set.Dimension,
                        set.Manifest.Complete,
                        Recipe = set.Recipe.Fields().ToDictionary(),
                        set.Manifest.DecodedBy,
                        set.Manifest.Classes,
                        Splits = rows.GroupBy(r => r.Split).ToDictionary(g => g.Key, g => g.Count()),
                        Failed = failed,
                        set.Manifest.Parts,
                    }
                );
                return (int)ExitCode.Done;
            }

            Console.WriteLine(
                $"{set.Folder}: {set.Rows} vectors of {set.Dimension} values in {set.Manifest.Parts.Count} "
                    + $"parts{(set.Manifest.Complete ? "" : ", not complete: run the extraction again")}"
            );
            Tables.Write(["recipe", "value"], set.Recipe.Fields().Select(f => new[] { f.Key, f.Value }));
            if (set.Manifest.DecodedBy is { } libraries)
                Console.WriteLine($"decoded by {string.Join("; ", libraries)}");
            var splits = rows.Select(r => r.Split).Distinct().ToArray();
            Tables.Write(
                ["class", .. splits.Select(s => ">" + s)],
                set.Manifest.Classes.Select(c =>
                    new[] { c }
                        .Concat(splits.Select(s => rows.Count(r => r.Label == c && r.Split == s).ToString(CultureInfo.InvariantCulture)))
                        .ToArray()
                )
            );
            if (failed.Count > 0)
                Tables.Write(["failed photo", "reason"], failed.Select(f => new[] { f.Path, f.Reason }));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static Command Verify()
    {
        var (folder, json) = (Folder(), Common.Json());
        var withPhotos = new Option<bool>("--photos") { Description = "Also read every photo and compare its SHA-256 with the set's." };
        var data = new Option<string>("--data") { Description = "Where the photos are now, for --photos.", HelpName = "PATH" };
        var (command, chosen) = Reading(
            new Command("verify", "Compares every file with the manifest: length, SHA-256, rows, finite values.")
            {
                folder,
                withPhotos,
                data,
                json,
            }
        );
        command.SetAction(
            (parsed, cancellation) =>
            {
                var tools = chosen.Read(parsed);
                var set = FeatureSet.Open(parsed.GetValue(folder)!, tools.Table);
                var check = set.Verify();
                if (parsed.GetValue(withPhotos))
                    check = check with { Problems = [.. check.Problems, .. VerifyPhotos(set, parsed.GetValue(data), tools, cancellation)] };
                return Task.FromResult(Report());

                int Report()
                {
                    if (parsed.GetValue(json))
                        Json.Write(check);
                    else if (check.Problems.Count == 0)
                        Console.WriteLine(
                            $"{parsed.GetValue(folder)}: {check.Rows} rows in {check.Parts} parts are as they were written"
                                + (parsed.GetValue(withPhotos) ? ", and the photos and their labels are those of the set" : "")
                        );
                    if (check.Problems.Count == 0)
                        return (int)ExitCode.Done;
                    foreach (var problem in check.Problems)
                        Messages.Error($"{parsed.GetValue(folder)}: {problem}");
                    return (int)ExitCode.Usage;
                }
            }
        );
        return command;
    }

    private static IReadOnlyList<string> VerifyPhotos(FeatureSet set, string? given, Toolbox tools, CancellationToken cancellation)
    {
        using var dataset =
            Photos.Open(given, set, tools)
            ?? throw new UsageException($"{set.Folder}: its photos are not at {set.Manifest.Dataset}; give their place with --data");
        return PhotoVerification.Run(set, dataset, cancellation);
    }

    private static Command List()
    {
        var folder = new Argument<string>("dir") { Description = "Folder whose feature sets are listed.", DefaultValueFactory = _ => "." };
        var json = Common.Json();
        var (command, chosen) = Reading(
            new Command("list", "The feature sets in a folder and the two levels of folders below it.") { folder, json }
        );
        command.SetAction(parsed =>
        {
            var sets = FeatureSet.List(parsed.GetValue(folder)!, chosen.Read(parsed).Table, Messages.Warning);
            if (parsed.GetValue(json))
                Json.Write(
                    sets.Select(s => new
                    {
                        s.Folder,
                        s.Rows,
                        s.Dimension,
                        s.Recipe.Model,
                        s.Recipe.Cut,
                        s.Recipe.Pooling,
                        s.Recipe.Views,
                    })
                );
            else if (sets.Count == 0)
                Console.WriteLine($"no feature set in {parsed.GetValue(folder)}");
            else
                Tables.Write(
                    ["folder", ">vectors", ">values", "model", "cut", "pooling", ">views"],
                    sets.Select(s =>
                        new[]
                        {
                            s.Folder,
                            s.Rows.ToString(CultureInfo.InvariantCulture),
                            s.Dimension.ToString(CultureInfo.InvariantCulture),
                            s.Recipe.Model,
                            s.Recipe.Cut,
                            s.Recipe.Pooling,
                            s.Recipe.Views.ToString(CultureInfo.InvariantCulture),
                        }
                    )
                );
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static Command Export()
    {
        var (folder, json) = (Folder(), Common.Json());
        var format = Common.RequiredChoice(
            "--format",
            "npy (with a CSV of paths and labels), csv or parquet.",
            [.. Enum.GetNames<ExportFormat>().Select(n => n.ToLowerInvariant())]
        );
        var prefix = Common.Out("Prefix of the files: PREFIX.npy and PREFIX.csv.");
        var (command, chosen) = Reading(
            new Command("export", "Writes the vectors for other programs, in the dataset's order.") { folder, format, prefix, json }
        );
        command.SetAction(parsed =>
        {
            var form = Enum.Parse<ExportFormat>(parsed.GetValue(format)!, ignoreCase: true);
            foreach (var target in FeatureSet.FilesOf(form, parsed.GetValue(prefix)!))
                OutputTarget.RequireFile(target);
            var files = FeatureSet.Open(parsed.GetValue(folder)!, chosen.Read(parsed).Table).Export(form, parsed.GetValue(prefix)!);
            if (parsed.GetValue(json))
                Json.Write(new { Files = files });
            else
                foreach (var file in files)
                    Console.WriteLine(file);
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static Command Merge()
    {
        var inputs = new Argument<string[]>("dirs")
        {
            Description = "Feature sets of one recipe, such as all shards of an extraction.",
            Arity = ArgumentArity.OneOrMore,
        };
        var folder = Common.Out("Folder of the merged set.");
        var json = Common.Json();
        var (command, chosen) = Reading(new Command("merge", "Puts shards together into one set.") { inputs, folder, json });
        command.SetAction(
            (parsed, cancellation) =>
            {
                Common.RequireSetFolder(parsed.GetValue(folder)!);
                var set = FeatureSets.Merge(
                    parsed.GetValue(inputs)!,
                    parsed.GetValue(folder)!,
                    chosen.Read(parsed).Table,
                    Messages.Note,
                    cancellation
                );
                if (parsed.GetValue(json))
                    Json.Write(
                        new
                        {
                            set.Folder,
                            set.Rows,
                            set.Dimension,
                            set.Manifest.Complete,
                        }
                    );
                else
                    Console.WriteLine(
                        $"{set.Folder}: {set.Rows} vectors of {set.Dimension} values from {parsed.GetValue(inputs)!.Length} sets"
                    );
                return Task.FromResult((int)ExitCode.Done);
            }
        );
        return command;
    }

    private static Command Drift()
    {
        var a = new Argument<string>("a") { Description = "A feature set." };
        var b = new Argument<string>("b") { Description = "Another one of the same photos." };
        var head = new Option<string>("--head")
        {
            Description = "The head whose predictions are compared: trained on A, applied to both.",
            HelpName = "NAME",
            DefaultValueFactory = _ => "softmax",
        };
        var (threads, json) = (Common.Threads(), Common.Json());
        var (command, chosen) = Reading(
            new Command("drift", "Compares two sets of the same photos and reports whether heads may be shared.")
            {
                a,
                b,
                head,
                threads,
                json,
            }
        );
        command.SetAction(parsed =>
        {
            var table = chosen.Read(parsed).Table;
            var (first, second) = (FeatureSet.Open(parsed.GetValue(a)!, table), FeatureSet.Open(parsed.GetValue(b)!, table));
            var spec = HeadSpec.ParseList(parsed.GetValue(head)!, [], Common.Tools.Trainers)[0];
            HeadAgreement? agreement = null;
            var report = FeatureDrift.Compare(first, second, Agreement, parsed.GetValue(threads));
            if (parsed.GetValue(json))
                Json.Write(new { Drift = report, Head = agreement });
            else
                WriteDrift(report, agreement);
            return (int)ExitCode.Done;

            double Agreement(FeatureData x, FeatureData y)
            {
                if (HeadAgreement.Obstacle(x) is { } obstacle)
                {
                    Messages.Warning($"no head is compared: {obstacle}");
                    return double.NaN;
                }

                var (ofFirst, ofSecond) = (Summaries.Of(first), Summaries.Of(second));
                agreement = HeadAgreement.Measure(new(ofFirst, x), new(ofSecond, y), spec, 0, parsed.GetValue(threads));
                return agreement.Agreement;
            }
        });
        return command;
    }

    private static void WriteDrift(DriftReport report, HeadAgreement? agreement)
    {
        List<(string Name, FormattableString Value)> measures =
        [
            ("vectors compared", $"{report.Vectors}"),
            ("only in A, only in B", $"{report.OnlyInA}, {report.OnlyInB}"),
            ("cosine, least", $"{report.CosineMin:0.0000000}"),
            ("cosine, mean", $"{report.CosineMean:0.0000000}"),
            ("largest difference of a value", $"{report.LargestDifference:0.0e+0}"),
            ("same nearest neighbour, or one as near", $"{report.NeighbourAgreement:0.0000}"),
        ];
        if (agreement is not null)
            measures.AddRange([
                ($"same prediction of {agreement.Head}", $"{agreement.Agreement:0.0000}"),
                ("its accuracy on A, on B", $"{agreement.AccuracyA:0.000}, {agreement.AccuracyB:0.000}"),
            ]);
        Tables.Write(["measure", ">value"], measures.Select(m => new[] { m.Name, m.Value.ToString(CultureInfo.InvariantCulture) }));
        foreach (var difference in report.Differences)
            Console.WriteLine($"recipes differ: {difference}");
        Console.WriteLine(report.Verdict);
    }
}
