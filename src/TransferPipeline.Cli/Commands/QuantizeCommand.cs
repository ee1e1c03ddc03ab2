using System.CommandLine;
using System.Globalization;
using TransferPipeline.Cli.Output;
using TransferPipeline.Datasets;
using TransferPipeline.Jobs;
using TransferPipeline.Quantization;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer models quantize NAME|FILE.onnx --data PHOTOS --out FILE.onnx</c>.</summary>
internal static class QuantizeCommand
{
    public static Command Create()
    {
        var model = new Argument<string>("model") { Description = "A backbone of the model store, or an ONNX file, in float32." };
        var data = new DataOptions();
        var file = Common.Out("The quantized backbone; its manifest is written beside it.");
        var (quantization, proof) = (new OptionFlags<QuantizationOptions>(), new OptionFlags<ProofOptions>());
        var (threads, json) = (Common.Threads(), Common.Json());
        var command = new Command(
            "quantize",
            "Makes an int8 backbone for the CPU, calibrated and proven on your photos; refuses one that loses accuracy."
        )
        {
            model,
            file,
            threads,
            json,
        };
        quantization.AddTo(command);
        proof.AddTo(command);
        var chosen = new ToolFlags();
        chosen.AddTo(command);
        data.AddTo(command);
        command.SetAction(
            (parsed, cancellation) =>
            {
                var target = parsed.GetValue(file)!;
                Common.RequireBackboneFile(target);
                var tools = chosen.Read(parsed);
                var resolved = tools.Models.Resolve(parsed.GetValue(model)!);
                using var dataset = DatasetReader.Open(data.Read(parsed), tools.PhotoTable);
                foreach (var problem in dataset.Problems)
                    Messages.Warning(problem.ToString());
                var job = new QuantizationJob(
                    tools,
                    quantization.Read(parsed),
                    proof.Read(parsed),
                    parsed.GetValue(threads),
                    Messages.Note
                );
                var outcome = job.Run(resolved, dataset, target, cancellation);
                if (parsed.GetValue(json))
                    Json.Write(outcome);
                else
                    Write(outcome);
                // After the figures, which show by how much.
                if (outcome.Proof.IsRefused)
                    throw new JobFailedException(Refusal(outcome));
                return Task.FromResult((int)ExitCode.Done);
            }
        );
        return command;
    }

    private static void Write(QuantizationOutcome outcome)
    {
        foreach (var layer in outcome.Left)
            Console.WriteLine($"in float: {layer.Operator} {layer.Name}: {layer.Reason}");
        var proof = outcome.Proof;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{proof.HeldOut} held-out photos: cosine {proof.CosineMean:0.0000} on average, at least {proof.CosineMin:0.0000}; the "
                    + $"same nearest neighbour for {proof.Neighbours:P1}"
            )
        );
        Tables.Write(
            ["head", ">float", ">int8", ">loss", ">95 % interval", ">only float right", ">only int8 right", ">p"],
            proof.Heads.Select(h =>
                new[]
                {
                    h.Head,
                    Number(h.Float.Value),
                    Number(h.Int8.Value),
                    Number(h.Loss.Value),
                    $"{Number(h.Loss.Low)} to {Number(h.Loss.High)}",
                    h.OnlyFloat.ToString(CultureInfo.InvariantCulture),
                    h.OnlyInt8.ToString(CultureInfo.InvariantCulture),
                    h.PValue.ToString("0.00", CultureInfo.InvariantCulture),
                }
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"photos per second of the network alone: float {proof.FloatRate:0.0}, int8 {proof.Int8Rate:0.0} "
                    + $"({proof.Speedup:0.00} times)"
            )
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{outcome.File}: {outcome.Bytes / 1e6:0.0} MB, {outcome.Layers} layers in 8 bits, ranges of {outcome.Photos} photos, "
                    + $"SHA-256 {outcome.Sha256}"
            )
        );
    }

    private static string Refusal(QuantizationOutcome outcome) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"refused: {outcome.Proof.Worst.Head} falls from {outcome.Proof.Worst.Float.Value:0.0000} to "
                + $"{outcome.Proof.Worst.Int8.Value:0.0000}, by more than --max-loss {outcome.Proof.MaxLoss}; the file is kept as "
                + $"{outcome.File}; try another --method, more --photos, or a higher --min-cosine"
        );

    private static string Number(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);
}
