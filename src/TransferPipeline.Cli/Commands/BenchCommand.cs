using System.CommandLine;
using System.Globalization;
using TransferPipeline.Backbones;
using TransferPipeline.Cli.Output;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Pipelines;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer bench extract</c>: measures on this machine, all figures of a table from one run.</summary>
internal static class BenchCommand
{
    public static Command Create(string name, string summary) => new(name, summary) { Extract(), BenchHeads.Create() };

    private static Command Extract()
    {
        var data = new DataOptions();
        var model = new Option<string>("--model") { Description = "A backbone of the model store, or an ONNX file.", DefaultValueFactory = _ => "efficientnet-lite0" };
        var photos = new Option<int>("--photos") { Description = "Photos, spread over the dataset.", DefaultValueFactory = _ => 1000 };
        var rounds = new Option<int>("--rounds") { Description = "Each figure is the best of so many rounds, taken in turns.", DefaultValueFactory = _ => 3 };
        var (threads, json) = (Common.Threads(), Common.Json());
        var command = new Command("extract", "Bare decoding, bare inference and a whole extraction, and how near the whole comes to its parts.") { model, photos, rounds, threads, json };
        data.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            var scratch = Directory.CreateTempSubdirectory("transfer-bench-").FullName;
            try
            {
                using var dataset = DatasetReader.Open(data.Read(parsed), Common.Tools.PhotoTable.Value);
                var job = new FeatureExtraction
                {
                    Tools = Common.Tools,
                    Dataset = dataset,
                    Model = Common.Tools.Models.Resolve(parsed.GetValue(model)!),
                    Outputs = [new(CutRequest.Default, Path.Combine(scratch, "set"))],
                }.CreateJob();
                var result = ExtractionBenchmark.Run(job, parsed.GetValue(photos), Path.Combine(scratch, "sets"), new() { Workers = parsed.GetValue(threads) }, parsed.GetValue(rounds), cancellation);
                if (parsed.GetValue(json))
                    Json.Write(result);
                else
                    Write(job.Model, result);
            }
            finally
            {
                Directory.Delete(scratch, recursive: true);
            }

            return Task.FromResult((int)ExitCode.Done);
        });
        return command;
    }

    private static void Write(string model, ExtractionBenchmarkResult r)
    {
        Tables.Write(
            ["photos a second", ">rate"],
            [
                ["bare decode", Rate(r.Decode)],
                .. r.Layouts.Select(l => new[] { $"bare session, {l.Key}", Rate(l.Value) }),
                ["bare session, best layout again", Rate(r.Session)],
                ["bound, 1 / (1/decode + 1/session)", Rate(r.Bound)],
                ["achieved, files to committed Parquet", Rate(r.Achieved)],
            ],
            string.Create(CultureInfo.InvariantCulture, $"{model}, {r.Photos} photos, {r.Threads} threads"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"ratio {r.Ratio:0.000} (by processor time {r.ProcessorRatio:0.000})"));
    }

    private static string Rate(double perSecond) => perSecond.ToString("0.0", CultureInfo.InvariantCulture);
}
