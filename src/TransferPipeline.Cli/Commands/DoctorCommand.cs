using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Cli.Output;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;
using TransferPipeline.Onnx;
using TransferPipeline.Platform;
using TransferPipeline.Tuning;

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
            Description = "Photos or folders: how far two decoders are apart on them, in levels and in features of the default backbone.",
            HelpName = "PHOTO|DIR",
            AllowMultipleArgumentsPerToken = true,
        };
        var decoders = new Option<string>("--decoders")
        {
            Description = "The two decoders that --compare-decoders compares.",
            HelpName = "NAME,NAME",
            DefaultValueFactory = _ => "pillow,imagesharp",
        };
        var command = new Command(name, summary) { json, compare, decoders };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(compare) is { Length: > 0 } photos)
                return DecoderComparison.Run(parsed.GetValue(decoders)!, photos, parsed.GetValue(json));
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
        yield return new("transfer", AssemblyVersion.Own, true);
        yield return new(".NET", $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier}", true);
        yield return new("processor", $"{Environment.ProcessorCount} cores, vectors of {VectorBits()} bits, {IntegerArithmetic.Cpu}", true);
        yield return new(
            "memory",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:0.0} GB available to this process"
            ),
            true
        );
        yield return Try(
            "ONNX Runtime",
            () =>
                $"{OrtEnv.Instance().GetVersionString()}, providers {string.Join(", ", OrtEnv.Instance().GetAvailableProviders())}"
                + (CudaBuild.Folder is { } folder ? $" (from {folder})" : "")
        );
        foreach (
            var line in Adapters(Common.Tools.Decoders, d => $"{d.Libraries}; pixels of {d.Name}")
                .Concat(Adapters(Common.Tools.JpegDecoders))
                .Concat(Adapters(Common.Tools.Encoders))
                .Concat(Adapters(Common.Tools.ParquetLibraries))
                .Concat(Adapters(Common.Tools.Tuners))
        )
            yield return line;
        yield return Try("default backbone", DefaultBackbone);
        foreach (var line in GpuDoctor.Examine())
            yield return new(line.Part, line.Found, line.Ok);
        foreach (var heads in Common.Tools.Trainers.GroupBy(t => t.GetType().Assembly))
        {
            // Unavailable loads the library, where Missing only searches for its file.
            var unavailable = heads.Where(h => h.Unavailable is not null).ToList();
            var reasons = string.Concat(
                unavailable
                    .Select(h => h.Unavailable)
                    .Distinct()
                    .Select(r => $"; {unavailable.Count(h => h.Unavailable == r)} not available: {r}")
            );
            var packages = heads.Key == typeof(FeatureSet).Assembly ? "this program" : AdapterPackages.Of(heads.Key);
            yield return new("heads", $"{heads.Count() - unavailable.Count} by {packages}{reasons}", true);
        }
    }

    /// <summary>
    /// Each adapter with its version, or why it cannot be used; a role that nothing fills is a problem, unless it is optional.
    /// </summary>
    /// <param name="describe">What an adapter that can be used is; its version by default.</param>
    private static IEnumerable<Line> Adapters<T>(AdapterRegistry<T> registry, Func<T, string>? describe = null)
        where T : class
    {
        var used = registry.Adapters.FirstOrDefault(a => a.Problem is null);
        // libvips decodes JPEG too, and only fine-tuning needs a tuner.
        var isOptional = typeof(T) == typeof(IJpegDecoder) || typeof(T) == typeof(ITuner);
        foreach (var adapter in registry.Adapters)
        {
            var part = $"{registry.Role} {adapter.Name}";
            if (adapter.Problem is { } problem)
            {
                yield return new(part, $"{adapter.Version}, not used: {problem}", isOptional || used is not null);
                continue;
            }

            var line = Try(part, () => describe?.Invoke(adapter.Instance) ?? adapter.Version);
            yield return adapter == used && !isOptional ? line with { Found = line.Found + " (default)" } : line;
        }
    }

    /// <summary>Cuts the embedded backbone and runs it once, as an extraction would.</summary>
    private static string DefaultBackbone()
    {
        var model = Common.Tools.Models.Resolve(Common.DefaultModel);
        var cut = Backbone.Open(model.File).Cut();
        using var session = SessionFactory.Create(cut, new());
        var pixels = new float[3 * cut.InputHeight * cut.InputWidth];
        using var input = OrtValue.CreateTensorValueFromMemory(pixels, [1, 3, cut.InputHeight, cut.InputWidth]);
        var clock = Stopwatch.StartNew();
        using var options = new RunOptions();
        using var results = session.Run(options, [cut.InputName], [input], [cut.Outputs[0].Name]);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{model.Name}: {results[0].GetTensorTypeAndShape().ElementCount} values for a photo, {clock.Elapsed.TotalMilliseconds:0} "
                + $"ms for the first"
        );
    }

    private static Line Try(string part, Func<string> examine)
    {
        try
        {
            return new(part, examine(), true);
        }
        catch (Exception e)
            when (e
                    is TransferException
                        or OnnxRuntimeException
                        or DllNotFoundException
                        or TypeInitializationException
                        or BadImageFormatException
            )
        {
            // The outer exception names a type of the package, the inner one the library that does not load.
            return new(part, e.InnerException is DllNotFoundException inner ? inner.Message : e.Message, false);
        }
    }

    private static int VectorBits() =>
        Vector512.IsHardwareAccelerated ? 512
        : Vector256.IsHardwareAccelerated ? 256
        : Vector128.IsHardwareAccelerated ? 128
        : 64;
}
