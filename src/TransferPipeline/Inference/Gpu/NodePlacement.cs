using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;

namespace TransferPipeline.Inference.Gpu;

/// <summary>An operator that ran, and the execution provider that it ran on.</summary>
/// <param name="IsShape">Its outputs are a few integers each: arithmetic on shapes, which ONNX Runtime keeps on the CPU on purpose.</param>
internal readonly record struct PlacedNode(string Name, string Operator, string Provider, bool IsShape = false);

/// <summary>
/// Where ONNX Runtime put each node. Its C# API does not report it, but the profile of a run does: nodes that a GPU's provider lacks run on
/// the CPU silently, with a copy each way.
/// </summary>
internal static class NodePlacement
{
    private const string CpuProvider = "CPUExecutionProvider";

    /// <summary>More dimensions and slices than a shape has.</summary>
    private const long MostOfAShape = 64;

    private static readonly string[] ShapeTypes = ["int64", "int32", "bool"];

    /// <summary>A session whose first run was profiled; nodes that ran on the CPU are listed in one message.</summary>
    public static InferenceSession CreateChecked(CutModel model, DeviceOptions device, Action<string> message)
    {
        // ONNX Runtime appends the time of day, which processes and sessions side by side may share.
        var prefix = TemporaryPath.New();
        var session = SessionFactory.Create(model, device, profile: prefix);
        try
        {
            using (var host = TensorMemory.Plain())
            using (var memory = device.IsCpu ? TensorMemory.Plain() : TensorMemory.OnGpu(session, device.Index))
            using (var batch = new BatchTensors(host, model, 1).Clear())
            using (var runner = new BoundRunner(session, model, memory, 1))
                GpuErrors.Run(() => runner.Run(batch), 1, device);
            var file = session.EndProfiling();
            var nodes = Read(File.ReadAllText(file));
            File.Delete(file);
            if (!device.IsCpu && Warning(nodes, device) is { } warning)
                message(warning);
            return session;
        }
        catch
        {
            // Writes the profile, which nobody will read.
            new SessionHandle(session, device).Dispose();
            foreach (var left in Directory.GetFiles(Path.GetDirectoryName(prefix)!, Path.GetFileName(prefix) + "*"))
                File.Delete(left);
            throw;
        }
    }

    /// <summary>The nodes of a profile in the order in which they ran, each once.</summary>
    public static IReadOnlyList<PlacedNode> Read(string profile)
    {
        var nodes = new List<PlacedNode>();
        using var json = JsonDocument.Parse(profile);
        foreach (var e in json.RootElement.EnumerateArray())
        {
            if (
                !e.TryGetProperty("args", out var args)
                || !args.TryGetProperty("provider", out var provider)
                || !args.TryGetProperty("op_name", out var op)
            )
                continue;
            var name = e.GetProperty("name").GetString()!;
            // A node has several events; this one is its computing.
            const string Suffix = "_kernel_time";
            if (name.EndsWith(Suffix, StringComparison.Ordinal))
                nodes.Add(new(name[..^Suffix.Length], op.GetString()!, provider.GetString()!, IsShape(args)));
        }

        return [.. nodes.Distinct()];
    }

    /// <summary>One line about the nodes that ran on the CPU, other than arithmetic on shapes; null when there are none.</summary>
    public static string? Warning(IReadOnlyList<PlacedNode> nodes, DeviceOptions device)
    {
        var onCpu = nodes.Where(n => n.Provider == CpuProvider && !n.IsShape).ToList();
        if (onCpu.Count == 0)
            return null;
        var kinds = onCpu.GroupBy(n => n.Operator).Select(g => $"{g.Count()} {g.Key} (such as {g.First().Name})");
        return $"warning: {onCpu.Count} of {nodes.Count} nodes run on the CPU although {device} was requested, their operators having "
            + $"no kernel there: {string.Join(", ", kinds)}";
    }

    /// <summary>Of a profile's <c>"output_type_shape": [{"int64": [4]}]</c>.</summary>
    private static bool IsShape(JsonElement args) =>
        args.TryGetProperty("output_type_shape", out var outputs)
        && outputs.GetArrayLength() > 0
        && outputs
            .EnumerateArray()
            .SelectMany(o => o.EnumerateObject())
            .All(o =>
                ShapeTypes.Contains(o.Name) && o.Value.EnumerateArray().Aggregate(1L, (size, d) => size * d.GetInt64()) <= MostOfAShape
            );
}
