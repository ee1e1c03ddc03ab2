using System.CommandLine;
using System.Globalization;
using TransferPipeline.Backbones;
using TransferPipeline.Cli.Commands;
using TransferPipeline.Cli.Output;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Inference;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Bench;

/// <summary><c>transfer bench extract</c>: measures on this machine, all figures of a table from one run.</summary>
internal static class BenchCommand
{
    public static Command Create(string name, string summary) => new(name, summary) { Extract(), BenchHeads.Create() };

    private static Command Extract()
    {
        var data = new DataOptions();
        var model = Common.Model(Common.DefaultModel);
        var cut = new Option<string>("--cut")
        {
            Description = "penultimate, features, or a tensor or node.",
            HelpName = "NAME",
            DefaultValueFactory = _ => CutRequest.Penultimate,
        };
        var pooling = Common.Pooling();
        var photos = Common.Whole("--photos", "Photos, spread over the dataset.", 1000, new(1, double.PositiveInfinity));
        var rounds = Common.Whole("--rounds", "Each figure is the best of so many rounds, taken in turns.", 3, new(1, 1000));
        var (device, extraction) = (new OptionFlags<DeviceOptions>(), new OptionFlags<ExtractionOptions>("batch"));
        var (threads, json) = (Common.Threads(), Common.Json());
        var command = new Command(
            "extract",
            "Bare decoding, bare inference and a whole extraction, and how near the whole comes to its parts."
        )
        {
            model,
            cut,
            pooling,
            photos,
            rounds,
            threads,
            json,
        };
        extraction.AddTo(command);
        var chosen = new ToolFlags();
        device.AddTo(command);
        chosen.AddTo(command);
        data.AddTo(command);
        command.SetAction(
            (parsed, cancellation) =>
            {
                var tools = chosen.Read(parsed);
                var scratch = Directory.CreateTempSubdirectory("transfer-bench-").FullName;
                try
                {
                    using var dataset = DatasetReader.Open(data.Read(parsed), tools.PhotoTable);
                    var cuts = new ExtractionOutput(
                        new(parsed.GetValue(cut)!, Pooling.Parse(parsed.GetValue(pooling)!)),
                        Path.Combine(scratch, "set")
                    );
                    var spec = tools.Specify(dataset, tools.Models.Resolve(parsed.GetValue(model)!), [cuts]) with
                    {
                        Device = device.Read(parsed).Check(),
                    };
                    var options = extraction.Read(parsed) with
                    {
                        Workers = parsed.GetValue(threads),
                        FewerWorkers = Common.IsDefault(parsed, threads),
                        Message = Messages.Note,
                    };
                    var result = ExtractionBenchmark.Run(
                        spec,
                        parsed.GetValue(photos),
                        Path.Combine(scratch, "sets"),
                        options,
                        parsed.GetValue(rounds),
                        cancellation
                    );
                    if (parsed.GetValue(json))
                        Json.Write(result);
                    else
                        Write(spec.Model, spec.Device, result);
                }
                finally
                {
                    Directory.Delete(scratch, recursive: true);
                }

                return Task.FromResult((int)ExitCode.Done);
            }
        );
        return command;
    }

    private static void Write(string model, DeviceOptions device, ExtractionBenchmarkResult r)
    {
        Tables.Write(
            ["photos per second", ">rate"],
            [
                ["bare decode", Rate(r.Decode)],
                ["files to bytes for a GPU: read, hash, decode, resize", Rate(r.Feed)],
                .. r.Layouts.Select(l => new[] { $"bare session, {l.Key}", Rate(l.Value) }),
                ["bare session, best layout again", Rate(r.Session)],
                [device.IsCpu ? "bound, 1 / (1/decode + 1/session)" : "bound, the smaller of decode and session", Rate(r.Bound)],
                ["achieved, files to committed Parquet", Rate(r.Achieved)],
            ],
            string.Create(
                CultureInfo.InvariantCulture,
                $"{model} on {device} in {DeviceOptions.Name(device.Precision)}, {r.Photos} photos, {r.Threads} threads"
            )
        );
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"ratio {r.Ratio:0.000} (by processor time {r.ProcessorRatio:0.000})")
        );
    }

    private static string Rate(double perSecond) => perSecond.ToString("0.0", CultureInfo.InvariantCulture);
}
