using System.CommandLine;
using System.Globalization;
using TransferPipeline.Backbones;
using TransferPipeline.Cli.Output;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer extract --data DIR --model NAME|FILE.onnx --out DIR</c>.</summary>
internal static class ExtractCommand
{
    public static Command Create(string name, string summary)
    {
        var data = new DataOptions();
        var model = Common.Model();
        var folder = Common.Out("Folder of the feature set; with several cuts the folder above them.");
        var cut = new Option<string[]>("--cut")
        {
            Description = "penultimate, features, or a tensor or node; give it again for several sets in one pass.",
            HelpName = "NAME",
            DefaultValueFactory = _ => [CutRequest.Penultimate],
        };
        var pooling = Common.Pooling();
        var (device, decode, extraction) = (
            new OptionFlags<DeviceOptions>(),
            new OptionFlags<DecodeOptions>(),
            new OptionFlags<ExtractionOptions>()
        );
        var shard = new Option<string?>("--shard")
        {
            Description = "Only part i of n of the photos, as in 2/8; see features merge.",
            HelpName = "I/N",
        };
        var rehash = new Option<bool>("--rehash")
        {
            Description = "Read and hash every photo, even those that the file system says are unchanged.",
        };
        var wait = Common.Number("--lock-wait", "Seconds to wait for another run on the same folder.", 0, new(0, 1e7));
        var (threads, json) = (Common.Threads(), Common.Json());
        var command = new Command(name, summary) { model, folder, cut, pooling, shard, rehash, wait, threads, json };
        extraction.AddTo(command);
        decode.AddTo(command);
        var chosen = new ToolFlags();
        device.AddTo(command);
        chosen.AddTo(command);
        data.AddTo(command);
        command.SetAction(
            (parsed, cancellation) =>
            {
                Common.RequireSetFolder(parsed.GetValue(folder)!);
                var tools = chosen.Read(parsed);
                var resolved = tools.Models.Resolve(parsed.GetValue(model)!);
                using var dataset = DatasetReader.Open(data.Read(parsed), tools.PhotoTable);
                foreach (var problem in dataset.Problems)
                    Messages.Warning(problem.ToString());
                var requests = parsed.GetValue(cut)!.Select(c => new CutRequest(c, Pooling.Parse(parsed.GetValue(pooling)!))).ToList();
                var target = parsed.GetValue(folder)!;
                List<ExtractionOutput> outputs =
                    requests.Count == 1
                        ? [new(requests[0], target)]
                        : requests.ConvertAll(r => ExtractionOutput.Below(target, resolved.Name, r));
                var request = new Int8Request(new(), parsed.GetValue(threads), Messages.Note) { Decode = decode.Read(parsed) };
                var (used, runsOn) = tools.ForPrecision(
                    resolved,
                    device.Read(parsed).Check(),
                    dataset,
                    outputs.Select(o => o.Folder),
                    request,
                    cancellation
                );
                var spec = tools.Specify(dataset, used, outputs) with { Device = runsOn, Decode = request.Decode };
                var options = extraction.Read(parsed) with
                {
                    Workers = parsed.GetValue(threads),
                    // A number that was given is kept; otherwise a trial on a GPU may find that fewer threads suffice.
                    FewerWorkers = Common.IsDefault(parsed, threads),
                    Rehash = parsed.GetValue(rehash),
                    Shard = parsed.GetValue(shard) is { } text ? Shard.Parse(text) : Shard.Whole,
                    LockWait = TimeSpan.FromSeconds(parsed.GetValue(wait)),
                    Message = Messages.Note,
                };
                IReadOnlyList<ExtractionResult> results;
                // Disposed before the result is printed, so that the progress line is complete by then.
                using (var display = ExtractionProgressView.Start(resolved.Name))
                    results = Extractor.Run(spec, options with { Progress = display.Progress }, cancellation);

                if (parsed.GetValue(json))
                    Json.Write(results);
                else
                    foreach (var r in results)
                        Console.WriteLine(
                            string.Create(
                                CultureInfo.InvariantCulture,
                                $"{r.Folder}: {r.Computed + r.Reused} vectors of {r.Dimension} values; {r.Computed} computed, "
                                    + $"{r.Reused} reused, {r.Removed} removed, {r.Failed} failed; {r.Seconds:0.00} s"
                            )
                        );
                return Task.FromResult((int)ExitCode.Done);
            }
        );
        return command;
    }
}
