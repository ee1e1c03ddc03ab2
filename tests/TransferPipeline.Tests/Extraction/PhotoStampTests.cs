using System.Diagnostics;
using System.Security.Cryptography;
using TransferPipeline.Extraction.Resume;
using TransferPipeline.Features;

namespace TransferPipeline.Tests.Extraction;

/// <summary>A photo whose bytes changed is never served its old vector, whatever was done to its name, length and times.</summary>
public sealed class PhotoStampTests : IDisposable
{
    /// <summary>Files younger than this when a run begins are hashed by the next run too.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2.1);

    private readonly TestExtraction _extraction = new(1);
    private readonly string _a;
    private readonly string _b;

    public PhotoStampTests()
    {
        (_a, _b) = (_extraction.At("photos", "train", "dress", "1.ppm"), _extraction.At("photos", "train", "hat", "1.ppm"));
        WriteSolid(_a, 0xFF);
        WriteSolid(_b, 0x10);
    }

    public void Dispose() => _extraction.Dispose();

    /// <summary>Ways of users and tools to put other bytes at a path with the old length and modification time.</summary>
    [Theory]
    [InlineData("mv $A $T && mv $B $A && mv $T $B", true)]
    [InlineData("mv $A $T && mv $B $A && mv $T $B", false)]
    [InlineData("cp -p $A $T && cp -p $B $A && cp -p $T $B", true)]
    [InlineData("cp -p $A $T && cat $B >$A && touch -r $T $A", true)]
    [InlineData("cp -p $A $T && cat $B >$A && touch -r $T $A", false)]
    [InlineData("ln $A $T && ln -f $B $A && ln -f $T $B", true)]
    [InlineData("d=$(dirname $A) && cp -rp $d $T && cp -p $B $T/1.ppm && mv $d $d.old && mv $T $d && rm -r $d.old", true)]
    [InlineData("d=$(dirname $A) && e=$(dirname $B) && mv $d $T && mv $e $d && mv $T $e", true)]
    public void Run_AfterPhotosChangedUnderTheirNames_GivesEachItsOwnVector(string script, bool settled)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs a shell and Linux's change times");
        if (settled)
            Thread.Sleep(Settling);
        _extraction.Run();
        var start = new ProcessStartInfo("sh", ["-ec", script])
        {
            Environment =
            {
                ["A"] = _a,
                ["B"] = _b,
                ["T"] = _extraction.At("t"),
            },
        };
        using (var shell = Process.Start(start)!)
        {
            shell.WaitToEnd();
            Assert.Equal(0, shell.ExitCode);
        }

        _extraction.Run();
        AssertHashesAreOfThePhotos();
    }

    [Fact]
    public void Run_OnUnchangedPhotos_TakesTheirHashesFromTheStamps()
    {
        Thread.Sleep(Settling);
        _extraction.Run();
        var targets = Targets();
        var stamps = PhotoStamps.Read(_extraction.Set);
        foreach (var (row, entry) in Rows(targets))
        {
            Assert.True(stamps.Confirm(row.Path, targets.Stamps[entry], targets.Changes[entry], row.ImageSha256), row.Path);
            Assert.False(stamps.Confirm(row.Path, targets.Stamps[entry], targets.Changes[entry], new string('0', 64)));
            Assert.False(stamps.Confirm(row.Path, targets.Stamps[entry], null, row.ImageSha256));
        }

        // A file is not hashed again, so it need not be readable.
        var written = File.GetLastWriteTimeUtc(PhotoStamps.FileOf(_extraction.Set));
        Assert.Equal(0, _extraction.Run().Computed);
        Assert.Equal(written, File.GetLastWriteTimeUtc(PhotoStamps.FileOf(_extraction.Set)));
    }

    [Fact]
    public void Run_WithoutStampsOrWithDamagedOnes_HashesAllAndComputesNothing()
    {
        Thread.Sleep(Settling);
        _extraction.Run();
        var file = PhotoStamps.FileOf(_extraction.Set);
        var whole = File.ReadAllBytes(file);
        var damaged = whole.ToArray();
        damaged[^40] ^= 1;
        File.WriteAllBytes(file, damaged);
        var targets = Targets();
        var stamps = PhotoStamps.Read(_extraction.Set);
        Assert.All(
            Rows(targets),
            x => Assert.False(stamps.Confirm(x.Row.Path, targets.Stamps[x.Entry], targets.Changes[x.Entry], x.Row.ImageSha256))
        );
        Assert.Equal(0, _extraction.Run().Computed);
        Assert.Equal(whole, File.ReadAllBytes(file));

        File.Delete(file);
        Assert.Equal(0, _extraction.Run().Computed);
        Assert.Equal(whole, File.ReadAllBytes(file));
    }

    private void AssertHashesAreOfThePhotos()
    {
        foreach (var row in _extraction.Open().LoadRows())
        {
            var bytes = File.ReadAllBytes(Path.Combine(_extraction.Photos, row.Path));
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), row.ImageSha256);
        }
    }

    private WantedVectors Targets() => new(_extraction.OpenDataset(), 0, Shard.Whole);

    private List<(FeatureRow Row, int Entry)> Rows(WantedVectors targets)
    {
        var entries = targets.Dataset.Entries.Select((e, i) => (e.Path, i)).ToDictionary(x => x.Path, x => x.i);
        return [.. _extraction.Open().LoadRows().Select(row => (row, entries[row.Path]))];
    }

    /// <summary>A picture of one colour; all have one length and one time.</summary>
    private static void WriteSolid(string file, byte level)
    {
        byte[] pixels = [.. "P6\n8 8\n255\n"u8, .. Enumerable.Repeat(level, 8 * 8 * 3)];
        File.WriteAllBytes(file, pixels);
        File.SetLastWriteTimeUtc(file, new DateTime(2024, 5, 5, 12, 0, 0, DateTimeKind.Utc));
    }
}
