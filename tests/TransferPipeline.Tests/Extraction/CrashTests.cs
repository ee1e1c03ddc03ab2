using System.Diagnostics;
using System.Globalization;
using TransferPipeline.Features;

namespace TransferPipeline.Tests.Extraction;

/// <summary>Extractions in child processes: killed at any moment, on a full disk, and their memory.</summary>
public sealed class CrashTests
{
    [Fact]
    public void Run_KilledAtTwentyMoments_EndsAsAnUndisturbedRun()
    {
        using var extraction = new TestExtraction(4);
        extraction.Run();
        var undisturbed = extraction.Load();
        var files = PartHashes(extraction.Open());
        var random = new Random(20);
        var (kills, sets) = (0, 0);
        while (kills < 20)
        {
            var folder = extraction.At($"killed-{sets++}");
            HashSet<string> committed = [];
            // A run that ends before its kill completes the set: then another set is begun.
            while (kills < 20 && KillOnce(extraction, folder, random, committed))
            {
                kills++;
                if (!File.Exists(Path.Combine(folder, FeatureManifest.FileName)))
                    continue;
                var set = FeatureSet.Open(folder, extraction.Table);
                Assert.All(set.Verify().Problems, p => Assert.Contains("interrupted", p, StringComparison.Ordinal));
                committed = [.. set.LoadRows().Select(r => r.ImageSha256)];
            }

            using (var last = ChildExtraction.Start(extraction.Photos, folder, 3))
            {
                var decoded = Decoded(last.StandardOutput.ReadToEnd());
                var error = last.StandardError.ReadToEnd();
                last.WaitToEnd();
                Assert.True(last.ExitCode == 0, error);
                Assert.Empty(decoded.Intersect(committed));
            }

            var done = FeatureSet.Open(folder, extraction.Table);
            Assert.Empty(done.Verify().Problems);
            TestExtraction.AssertSame(undisturbed, done.Load());
            Assert.Equal(files, PartHashes(done));
            Assert.Equal(
                extraction.Files().Keys.Order(StringComparer.Ordinal),
                Directory.GetFiles(folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)
            );
        }
    }

    /// <summary>Killed between its first file and its first commit, a run leaves a set that the next one continues.</summary>
    [Fact]
    public void Run_OnANewFolder_WritesTheManifestBeforeAnyOtherFile()
    {
        using var extraction = new TestExtraction(2);
        File.WriteAllText(
            Directory.GetFiles(extraction.Photos, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Last(),
            "no photo"
        );
        using var dataset = extraction.OpenDataset();
        var table = new WatchingTable(extraction.Table);
        extraction.Run(extraction.Job(dataset) with { Table = table }, extraction.Options with { MaxFailedShare = 1 });
        Assert.Contains("failed.parquet.tmp", table.Written.Select(f => f.Name));
        Assert.All(table.Written, f => Assert.True(f.HasManifest, f.Name));
    }

    [Fact]
    public void Run_OnASmallDisk_FailsWithOneLineAndGoesOnWithMoreRoom()
    {
        using var extraction = new TestExtraction(8);
        var disk = extraction.At("disk");
        Directory.CreateDirectory(disk);
        if (!Mount("-t", "tmpfs", "-o", "size=100k", "tmpfs", disk))
            Assert.Skip("needs the right to mount a small tmpfs");
        try
        {
            var folder = Path.Combine(disk, "set");
            var (code, error) = Run(extraction, folder);
            Assert.Equal((int)ExitCode.Failed, code);
            Assert.Single(error.TrimEnd().Split('\n'));
            Assert.Contains("cannot be written", error, StringComparison.Ordinal);
            var set = FeatureSet.Open(folder, extraction.Table);
            Assert.InRange(set.Rows, 3, 30);
            Assert.Contains("interrupted", Assert.Single(set.Verify().Problems), StringComparison.Ordinal);
            Assert.DoesNotContain(Directory.GetFiles(folder), f => f.EndsWith(".tmp", StringComparison.Ordinal));

            Assert.True(Mount("-o", "remount,size=10m", disk));
            Assert.Equal((0, ""), Run(extraction, folder));
            Assert.Empty(FeatureSet.Open(folder, extraction.Table).Verify().Problems);
            Assert.Equal(32, FeatureSet.Open(folder, extraction.Table).Rows);
        }
        finally
        {
            // Lazily: a process that another test starts holds this one's open files until it becomes another program.
            Process.Start("umount", ["--lazy", disk]).WaitToEnd();
        }
    }

    [Fact]
    public void Run_OfManyPhotos_StaysBelow400MegabytesAboveTheModel()
    {
        using var extraction = new TestExtraction(20, "dress", "hat", "pants", "shirt", "shoes");
        using var child = ChildExtraction.Start(extraction.Photos, extraction.Set, 0);
        var lines = child.StandardOutput.ReadToEnd().Split('\n');
        child.WaitToEnd();
        Assert.Equal(0, child.ExitCode);
        if (lines.FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) is not { } peak)
        {
            Assert.False(OperatingSystem.IsLinux(), "Linux reports the peak of resident memory");
            return;
        }

        var kilobytes = int.Parse(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        Assert.InRange(kilobytes, 20_000, (400 << 10) + new FileInfo(extraction.Model).Length / 1024);
    }

    /// <summary>Starts a run and kills it after a random number of photos and a random short while.</summary>
    /// <returns>False when it had ended before.</returns>
    private static bool KillOnce(TestExtraction extraction, string folder, Random random, HashSet<string> committed)
    {
        var (photos, wait) = (random.Next(0, 9), random.Next(0, 40));
        using var child = ChildExtraction.Start(extraction.Photos, folder, 3);
        for (var i = 0; i < photos && child.StandardOutput.ReadLine() is { } line; i++)
            Assert.Empty(Decoded(line).Intersect(committed));
        Thread.Sleep(wait);
        child.Kill();
        var rest = child.StandardOutput.ReadToEnd();
        child.WaitToEnd();
        Assert.Empty(Decoded(rest).Intersect(committed));
        return child.ExitCode != 0;
    }

    private static IEnumerable<string> Decoded(string output) =>
        output.Split('\n').Where(l => l.StartsWith("decode ", StringComparison.Ordinal)).Select(l => l[7..]);

    private static string[] PartHashes(FeatureSet set) => [.. set.Manifest.Parts.Select(p => $"{p.File} {p.Order} {p.Sha256}")];

    private static (int Code, string Error) Run(TestExtraction extraction, string folder)
    {
        using var child = ChildExtraction.Start(extraction.Photos, folder, 3);
        child.OutputDataReceived += (_, _) => { };
        child.BeginOutputReadLine();
        var error = child.StandardError.ReadToEnd();
        child.WaitToEnd();
        return (child.ExitCode, error);
    }

    private static bool Mount(params string[] arguments)
    {
        if (!OperatingSystem.IsLinux())
            return false;
        using var mount = Process.Start(new ProcessStartInfo("mount", arguments) { RedirectStandardError = true })!;
        mount.StandardError.ReadToEnd();
        mount.WaitToEnd();
        return mount.ExitCode == 0;
    }

    /// <summary>Notes for each file that is written whether the folder has a manifest by then.</summary>
    private sealed class WatchingTable(IFeatureTable table) : IFeatureTable
    {
        public List<(string Name, bool HasManifest)> Written { get; } = [];

        public string Name => table.Name;

        public void Write(string file, IReadOnlyList<FeatureRow> rows, FeatureMatrix vectors)
        {
            Note(file);
            table.Write(file, rows, vectors);
        }

        public void WriteFailed(string file, IReadOnlyList<FailedRow> rows)
        {
            Note(file);
            table.WriteFailed(file, rows);
        }

        public List<FeatureRow> ReadRows(string file) => table.ReadRows(file);

        public List<(string Label, string Split)> ReadLabels(string file) => table.ReadLabels(file);

        public List<FailedRow> ReadFailed(string file) => table.ReadFailed(file);

        public int ReadVectors(string file, FeatureMatrix destination, int firstRow) => table.ReadVectors(file, destination, firstRow);

        public int ReadBlocks(string file, FeatureMatrix block, int filled, Action full) => table.ReadBlocks(file, block, filled, full);

        private void Note(string file) =>
            Written.Add((Path.GetFileName(file), File.Exists(Path.Combine(Path.GetDirectoryName(file)!, FeatureManifest.FileName))));
    }
}
