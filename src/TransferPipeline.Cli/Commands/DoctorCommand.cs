using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Cli.Output;
using TransferPipeline.Features;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer doctor</c>: what this installation can do, and what is missing, each line tried rather than assumed.</summary>
internal static class DoctorCommand
{
    private sealed record Line(string Part, string Found, bool Ok);

    public static Command Create(string name, string summary)
    {
        var json = Common.Json();
        var compare = new Option<string[]>("--compare-decoders")
        {
            Description = "Photos or folders: how far the decoders of the two package sets are apart on them, where both are there.",
            HelpName = "PHOTO|DIR",
            AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command(name, summary) { json, compare };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(compare) is { Length: > 0 } photos)
                return DecoderComparison.Run(photos, parsed.GetValue(json));
            var lines = Examine().ToList();
            if (parsed.GetValue(json))
                Json.Write(lines);
            else
                Tables.Write(["part", "found", ""], lines.Select(l => new[] { l.Part, l.Found, l.Ok ? "" : "PROBLEM" }));
            return (int)(lines.All(l => l.Ok) ? ExitCode.Done : ExitCode.Failed);
        });
        return command;
    }

    private static IEnumerable<Line> Examine()
    {
        yield return new("transfer", $"{typeof(FeatureSet).Assembly.GetName().Version!.ToString(3)}", true);
        yield return new(".NET", $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier}", true);
        yield return new("processor", $"{Environment.ProcessorCount} cores, vectors of {VectorBits()} bits", true);
        yield return new("memory", string.Create(CultureInfo.InvariantCulture, $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:0.0} GB available to this process"), true);
        yield return Try("ONNX Runtime", () => $"{OrtEnv.Instance().GetVersionString()}, providers {string.Join(", ", OrtEnv.Instance().GetAvailableProviders())}");
        yield return Try("decoder", () => Common.Tools.Decoder.Name);
        yield return Try("Parquet", () => Common.Tools.Table.Name);
        yield return Try("default backbone", DefaultBackbone);
        foreach (var line in GpuDoctor.Examine())
            yield return new(line.Part, line.Found, line.Ok);
        var unavailable = Common.Tools.Trainers.Count(t => t.Unavailable is not null);
        yield return new("heads", $"{Common.Tools.Trainers.Count - unavailable} available, {unavailable} not (see: transfer heads)", true);
    }

    /// <summary>Cuts the embedded backbone and runs it once, as an extraction would.</summary>
    private static string DefaultBackbone()
    {
        var model = Common.Tools.Models.Resolve("efficientnet-lite0");
        var cut = Backbone.Open(model.File).Cut();
        using var session = SessionFactory.Create(cut, new());
        var pixels = new float[3 * cut.InputHeight * cut.InputWidth];
        using var input = OrtValue.CreateTensorValueFromMemory(pixels, [1, 3, cut.InputHeight, cut.InputWidth]);
        var clock = Stopwatch.StartNew();
        using var results = session.Run(new RunOptions(), [cut.InputName], [input], [cut.Outputs[0].Name]);
        return string.Create(CultureInfo.InvariantCulture, $"{model.Name}: {results[0].GetTensorTypeAndShape().ElementCount} values for a photo, {clock.Elapsed.TotalMilliseconds:0} ms for the first");
    }

    private static Line Try(string part, Func<string> examine)
    {
        try
        {
            return new(part, examine(), true);
        }
        catch (Exception e) when (e is TransferException or OnnxRuntimeException or DllNotFoundException or TypeInitializationException or BadImageFormatException)
        {
            return new(part, e.InnerException is DllNotFoundException inner ? inner.Message : e.Message, false);
        }
    }

    private static int VectorBits() =>
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 64;
}
