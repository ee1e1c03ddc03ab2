using System.CommandLine;
using System.Globalization;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Cli.Output;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer models list|pull|verify|add|quantize</c>.</summary>
internal static class ModelsCommand
{
    public static Command Create(string name, string summary) =>
        new(name, summary) { List(), Pull(), Verify(), Add(), QuantizeCommand.Create() };

    private static Command List()
    {
        var json = Common.Json();
        var command = new Command("list", "The backbones that can be named, and whether their files are here.") { json };
        command.SetAction(parsed =>
        {
            var entries = Common.Tools.Models.List();
            if (parsed.GetValue(json))
                Json.Write(entries);
            else
                Tables.Write(
                    ["name", ">input", ">MB", "licence", "file"],
                    entries.Select(e =>
                        new[]
                        {
                            e.Manifest.Name,
                            e.Manifest.InputSize.ToString(CultureInfo.InvariantCulture),
                            (e.Manifest.Bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture),
                            e.Manifest.License,
                            e.File ?? Common.Tools.Models.WhereFrom(e.Manifest),
                        }
                    )
                );
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static Command Pull()
    {
        var names = new Argument<string[]>("names") { Description = "Backbones to download.", Arity = ArgumentArity.OneOrMore };
        var json = Common.Json();
        var command = new Command("pull", "Downloads backbones into the user's store; resumes what was interrupted, verifies SHA-256.")
        {
            names,
            json,
        };
        command.SetAction(
            async (parsed, cancellation) =>
            {
                var pulled = new List<object>();
                foreach (var model in parsed.GetValue(names)!)
                {
                    var view = new DownloadProgressView(model);
                    var file = await Common.Tools.Models.PullAsync(model, view, cancellation);
                    view.End();
                    pulled.Add(new { Name = model, File = file });
                    if (!parsed.GetValue(json))
                        Console.WriteLine($"{model}: {file}");
                }

                if (parsed.GetValue(json))
                    Json.Write(pulled);
                return (int)ExitCode.Done;
            }
        );
        return command;
    }

    private static Command Verify()
    {
        var names = new Argument<string[]>("names")
        {
            Description = "Backbones; all that are here when none is named.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var json = Common.Json();
        var command = new Command("verify", "Compares size and SHA-256 of backbones with their manifests.") { names, json };
        command.SetAction(parsed =>
        {
            var store = Common.Tools.Models;
            var wanted = parsed.GetValue(names) is { Length: > 0 } given
                ? given
                : [.. store.List().Where(e => e.File is not null).Select(e => e.Manifest.Name)];
            var verified = new List<object>();
            foreach (var model in wanted)
            {
                var file = store.Verify(model);
                verified.Add(new { Name = model, File = file });
                if (!parsed.GetValue(json))
                    Console.WriteLine($"{model}: {file} is what its manifest says");
            }

            if (parsed.GetValue(json))
                Json.Write(verified);
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static Command Add()
    {
        var file = new Argument<string>("file") { Description = "An ONNX file." };
        var name = new Option<string?>("--name") { Description = "The name to give it; default: the file's.", HelpName = "NAME" };
        var license = new Option<string>("--license")
        {
            Description = "Its licence.",
            HelpName = "TEXT",
            DefaultValueFactory = _ => "unknown",
        };
        var note = new Option<string>("--note")
        {
            Description = "Where it comes from.",
            HelpName = "TEXT",
            DefaultValueFactory = _ => "",
        };
        var before = new Option<string?>("--before")
        {
            Description = "A preprocessing graph that is put in front of the model; the store gets both as one file.",
            HelpName = "FILE.onnx",
        };
        var (preprocessing, json) = (new PreprocessingFlags(), Common.Json());
        var command = new Command("add", "Copies an ONNX file into the store under a name.") { file, name, license, note, before, json };
        preprocessing.AddTo(command);
        command.SetAction(parsed =>
        {
            var entry = Common.Tools.Models.Add(
                parsed.GetValue(file)!,
                parsed.GetValue(name),
                preprocessing.Read(parsed),
                license: parsed.GetValue(license)!,
                note: parsed.GetValue(note)!,
                before: parsed.GetValue(before)
            );
            if (parsed.GetValue(json))
                Json.Write(entry);
            else
            {
                Console.WriteLine($"{entry.Manifest.Name}: {entry.File}; preprocessing in {entry.ManifestFile}");
                Console.WriteLine($"preprocessing: {AssumedPreprocessing.Describe(entry.Manifest.Preprocessing)}");
            }
            return (int)ExitCode.Done;
        });
        return command;
    }
}
