using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Features.Extraction;

namespace TransferPipeline.Features.Cards;

/// <summary>An operator that ran, and the execution provider that it ran on.</summary>
internal readonly record struct PlacedNode(string Name, string Operator, string Provider);

/// <summary>
/// Where ONNX Runtime put each node. Its C# API does not tell, but the profile of a run does: nodes that a card's provider lacks run on
/// the CPU silently, with a copy each way.
/// </summary>
internal static class NodePlacement
{
    private const string CpuProvider = "CPUExecutionProvider";

    /// <summary>A session whose first run was profiled; nodes that ran on the CPU are listed in one message.</summary>
    public static InferenceSession CreateChecked(CutModel model, DeviceOptions device, Action<string> message)
    {
        var prefix = Path.Combine(Path.GetTempPath(), $"transfer-{Environment.ProcessId}-{Guid.NewGuid():N}");
        var session = SessionFactory.Create(model, device, profile: prefix);
        try
        {
            using (var memory = TensorMemory.Plain())
            using (var batch = new HostBatch(memory, model, 1))
            using (var runner = new BoundRunner(session, model))
                runner.Run(batch);
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
            session.Dispose();
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
            if (!e.TryGetProperty("args", out var args) || !args.TryGetProperty("provider", out var provider) || !args.TryGetProperty("op_name", out var op))
                continue;
            var name = e.GetProperty("name").GetString()!;
            const string Suffix = "_kernel_time";
            if (name.EndsWith(Suffix, StringComparison.Ordinal))
                nodes.Add(new(name[..^Suffix.Length], op.GetString()!, provider.GetString()!));
        }

        return [.. nodes.Distinct()];
    }

    /// <summary>One line about the nodes that ran on the CPU; null when there are none.</summary>
    public static string? Warning(IReadOnlyList<PlacedNode> nodes, DeviceOptions device)
    {
        var onCpu = nodes.Where(n => n.Provider == CpuProvider).ToList();
        if (onCpu.Count == 0)
            return null;
        var kinds = onCpu.GroupBy(n => n.Operator).Select(g => $"{g.Count()} {g.Key} (such as {g.First().Name})");
        return $"warning: {onCpu.Count} of {nodes.Count} nodes run on the CPU although {device} was asked for, their operators having no kernel there: {string.Join(", ", kinds)}";
    }
}
