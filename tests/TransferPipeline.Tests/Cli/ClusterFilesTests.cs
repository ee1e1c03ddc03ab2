using System.Diagnostics;
using System.Globalization;
using TransferPipeline.Features;
using TransferPipeline.Tests.Extraction;
using YamlDotNet.RepresentationModel;

namespace TransferPipeline.Tests.Cli;

/// <summary>
/// The job files for clusters: Kubernetes' counts agree and its commands do the job as plain processes; Slurm's scripts refuse to run
/// without their settings.
/// </summary>
public sealed class ClusterFilesTests : IDisposable
{
    private static readonly string Folder = Path.Combine(SharedData.Repository, "pipelines", "cluster");

    private readonly TempFolder _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public void Kubernetes_ExtractsAndMergesAsManyShardsAsItHasCompletions()
    {
        var (extract, merge) = Jobs();
        Assert.Equal("Indexed", Text(extract, "spec", "completionMode"));
        var shards = Number(extract, "completions");
        Assert.InRange(Number(extract, "parallelism"), 1, shards);
        Assert.True(Number(extract, "backoffLimit") >= shards, "each shard may be restarted once");
        var command = Arguments(extract, "containers");
        Assert.Contains($"--shard \"$((JOB_COMPLETION_INDEX + 1))/{shards}\"", command, StringComparison.Ordinal);
        Assert.Contains("--out \"/data/features/shard-$((JOB_COMPLETION_INDEX + 1))\"", command, StringComparison.Ordinal);
        Assert.Contains(
            string.Join(' ', Enumerable.Range(1, shards).Select(i => $"shard-{i}")) + " --out merged",
            Arguments(merge, "containers"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"for i in {string.Join(' ', Enumerable.Range(1, shards))}; do",
            Arguments(merge, "initContainers"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Kubernetes_JobsAreThoseOfBatchV1_AndMountTheVolumeThatTheyUse()
    {
        var (extract, merge) = Jobs();
        foreach (var job in (YamlNode[])[extract, merge])
        {
            Assert.Equal(("batch/v1", "Job"), (Text(job, "apiVersion"), Text(job, "kind")));
            // Jobs allow no other but Never, which would leave a dead pod's index to the job's own retries.
            Assert.Equal("OnFailure", Text(job, "spec", "template", "spec", "restartPolicy"));
            Assert.Empty(Keys(job, "spec").Except(["completionMode", "completions", "parallelism", "backoffLimit", "template"]));
            Assert.Empty(
                Keys(job, "spec", "template", "spec")
                    .Except(["restartPolicy", "terminationGracePeriodSeconds", "containers", "initContainers", "volumes"])
            );
            var volume = Text(Single(job, "volumes"), "name");
            foreach (var container in Containers(job))
            {
                Assert.Empty(Keys(container).Except(["name", "image", "command", "args", "resources", "volumeMounts"]));
                var mount = ((YamlSequenceNode)container["volumeMounts"]).Single();
                Assert.Equal((volume, "/data"), (Text(mount, "name"), Text(mount, "mountPath")));
                Assert.Equal(["/bin/sh", "-c"], ((YamlSequenceNode)container["command"]).Select(c => ((YamlScalarNode)c).Value));
            }
        }
    }

    [Fact]
    public void Kubernetes_CommandsAsProcesses_TwoKilledAndRestarted_GiveTheUndividedSet()
    {
        var (extract, merge) = Jobs();
        SamplePhotos.Copy(_data.At("photos"), 6, "dress", "hat");
        var shards = Number(extract, "completions");
        int[] victims = [1, 5];
        // A pod that dies: killed as soon as it has begun, then started again with its index, as the job does.
        foreach (var index in victims)
        {
            using var pod = Pod(extract, "containers", index);
            while (!pod.HasExited && !File.Exists(_data.At("features", $"shard-{index + 1}", ".lock")))
                Thread.Sleep(2);
            pod.Kill();
            pod.WaitToEnd();
            Assert.NotEqual(0, pod.ExitCode);
        }

        using (var waits = Pod(merge, "initContainers"))
        {
            Assert.False(waits.WaitForExit(TimeSpan.FromSeconds(1)), "the merge does not wait for the shards");
            waits.Kill(entireProcessTree: true);
            waits.WaitToEnd();
        }

        for (var index = 0; index < shards; index++)
            Done(Pod(extract, "containers", index));
        Done(Pod(merge, "initContainers"));
        Done(Pod(merge, "containers"));
        Assert.Equal(
            0,
            TransferProcess
                .Run("extract", "--data", _data.At("photos"), "--model", "efficientnet-lite0", "--out", _data.At("whole"))
                .ExitCode
        );
        var table = TestTable.Create();
        var whole = FeatureSet.Open(_data.At("whole"), table).Load();
        Assert.Equal(24, whole.Rows.Count);
        TestExtraction.AssertSame(whole, FeatureSet.Open(_data.At("features", "merged"), table).Load());
    }

    [Theory]
    [InlineData("slurm-array.sbatch", "give DATA")]
    [InlineData("slurm-merge.sbatch", "give OUT")]
    public void Slurm_WithoutSettings_SaysWhichIsMissing(string file, string message)
    {
        UnixTools.Require();
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(Folder, file));
        start.Environment.Remove("DATA");
        start.Environment.Remove("OUT");
        start.Environment["SLURM_ARRAY_TASK_ID"] = "1";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitToEnd();
        Assert.NotEqual(0, process.ExitCode);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    /// <summary>
    /// A container's command as a process of this machine: the volume is a folder, the image's command the one that was built.
    /// </summary>
    private Process Pod(YamlNode job, string containers, int index = 0)
    {
        UnixTools.Require();
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Arguments(job, containers).Replace("/data/", _data.Root + "/", StringComparison.Ordinal));
        start.Environment["JOB_COMPLETION_INDEX"] = index.ToString(CultureInfo.InvariantCulture);
        start.Environment["PATH"] = AppContext.BaseDirectory + ":" + Environment.GetEnvironmentVariable("PATH");
        return Process.Start(start)!;
    }

    private static void Done(Process pod)
    {
        using (pod)
        {
            var error = pod.StandardError.ReadToEndAsync();
            pod.StandardOutput.ReadToEnd();
            pod.WaitToEnd();
            Assert.True(pod.ExitCode == 0, error.Result);
        }
    }

    private static (YamlNode Extract, YamlNode Merge) Jobs()
    {
        var stream = new YamlStream();
        using (var reader = File.OpenText(Path.Combine(Folder, "kubernetes-indexed-job.yaml")))
            stream.Load(reader);
        Assert.Equal(["transfer-extract", "transfer-merge"], stream.Documents.Select(d => Text(d.RootNode, "metadata", "name")));
        return (stream.Documents[0].RootNode, stream.Documents[1].RootNode);
    }

    private static string Arguments(YamlNode job, string containers) => ((YamlScalarNode)Single(job, containers)["args"][0]).Value!;

    private static IEnumerable<YamlNode> Containers(YamlNode job) =>
        Keys(job, "spec", "template", "spec").Where(k => k.EndsWith("ontainers", StringComparison.Ordinal)).Select(k => Single(job, k));

    private static YamlNode Single(YamlNode job, string list) => ((YamlSequenceNode)Node(job, "spec", "template", "spec", list)).Single();

    private static IEnumerable<string> Keys(YamlNode node, params string[] keys) =>
        ((YamlMappingNode)Node(node, keys)).Children.Keys.Select(k => ((YamlScalarNode)k).Value!);

    private static int Number(YamlNode job, string key) => int.Parse(Text(job, "spec", key), CultureInfo.InvariantCulture);

    private static string Text(YamlNode node, params string[] keys) => ((YamlScalarNode)Node(node, keys)).Value!;

    private static YamlNode Node(YamlNode node, params string[] keys) => keys.Aggregate(node, (n, key) => n[key]);
}
