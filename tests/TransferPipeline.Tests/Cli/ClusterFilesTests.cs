using System.Diagnostics;
using YamlDotNet.RepresentationModel;

namespace TransferPipeline.Tests.Cli;

/// <summary>The job files for clusters: Kubernetes' counts agree with each other, and Slurm's scripts refuse to run without their settings.</summary>
public sealed class ClusterFilesTests
{
    private static readonly string Folder = Path.Combine(SharedData.Repository, "pipelines", "cluster");

    [Fact]
    public void Kubernetes_ExtractsAndMergesAsManyShardsAsItHasCompletions()
    {
        var stream = new YamlStream();
        using (var reader = File.OpenText(Path.Combine(Folder, "kubernetes-indexed-job.yaml")))
            stream.Load(reader);
        Assert.Equal(["transfer-extract", "transfer-merge"], stream.Documents.Select(d => Text(d.RootNode, "metadata", "name")));
        var (extract, merge) = (stream.Documents[0].RootNode, stream.Documents[1].RootNode);
        Assert.Equal("Indexed", Text(extract, "spec", "completionMode"));
        var shards = int.Parse(Text(extract, "spec", "completions"), System.Globalization.CultureInfo.InvariantCulture);
        var command = Arguments(extract, "containers");
        Assert.Contains($"--shard \"$((JOB_COMPLETION_INDEX + 1))/{shards}\"", command, StringComparison.Ordinal);
        Assert.Contains("--out \"/data/features/shard-$((JOB_COMPLETION_INDEX + 1))\"", command, StringComparison.Ordinal);
        Assert.Contains(string.Join(' ', Enumerable.Range(1, shards).Select(i => $"shard-{i}")) + " --out merged", Arguments(merge, "containers"), StringComparison.Ordinal);
        Assert.Contains($"for i in {string.Join(' ', Enumerable.Range(1, shards))}; do", Arguments(merge, "initContainers"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("slurm-array.sbatch", "give DATA")]
    [InlineData("slurm-merge.sbatch", "give OUT")]
    public void Slurm_WithoutSettings_SaysWhichIsMissing(string file, string message)
    {
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(Folder, file));
        start.Environment.Remove("DATA");
        start.Environment.Remove("OUT");
        start.Environment["SLURM_ARRAY_TASK_ID"] = "1";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.NotEqual(0, process.ExitCode);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    private static string Arguments(YamlNode job, string containers) =>
        ((YamlScalarNode)((YamlSequenceNode)Node(job, "spec", "template", "spec", containers)).Children[0]["args"][0]).Value!;

    private static string Text(YamlNode node, params string[] keys) => ((YamlScalarNode)Node(node, keys)).Value!;

    private static YamlNode Node(YamlNode node, params string[] keys) => keys.Aggregate(node, (n, key) => n[key]);
}
