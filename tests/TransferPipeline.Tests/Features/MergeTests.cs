using TransferPipeline.Backbones;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Jobs;
using TransferPipeline.Tests.Extraction;

namespace TransferPipeline.Tests.Features;

public sealed class MergeTests : IDisposable
{
    private readonly TestExtraction _extraction = new(3);

    public void Dispose() => _extraction.Dispose();

    [Fact]
    public void Merge_OfAllShards_EqualsOneUndividedRun()
    {
        File.WriteAllText(Path.Combine(_extraction.Photos, "train", "hat", "broken.jpg"), "no photo");
        _extraction.Options = _extraction.Options with { MaxFailedShare = 1 };
        _extraction.Run();
        // In another order than the shards', as a cluster may finish them.
        string[] shards = [Extract(3, 3), Extract(1, 3), Extract(2, 3)];
        var merged = FeatureSets.Merge(
            shards,
            _extraction.At("merged"),
            _extraction.Table,
            cancellation: TestContext.Current.CancellationToken
        );
        TestExtraction.AssertSame(_extraction.Load(), merged.Load());
        Assert.Equal(_extraction.Open().LoadFailed(), merged.LoadFailed());
        Assert.Empty(merged.Verify().Problems);
        Assert.True(merged.Manifest.Complete);
        Assert.Null(merged.Manifest.Shard);

        // The merged set goes on as any other.
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with { Outputs = [new(CutRequest.Default, merged.Folder)] };
        Assert.Equal((0, 12), (_extraction.Run(job, _extraction.Options) is var run ? run.Computed : -1, run.Reused));
    }

    /// <summary>
    /// A cluster starts a job again that had ended: the merged set is kept, unless the sets are others or a part was damaged
    /// since.
    /// </summary>
    [Fact]
    public void Merge_OfTheSameSetsAgain_KeepsTheSet()
    {
        string[] shards = [Extract(2, 2), Extract(1, 2)];
        var output = _extraction.At("merged");
        FeatureSets.Merge(shards, output, _extraction.Table, cancellation: TestContext.Current.CancellationToken);
        var manifest = Path.Combine(output, FeatureManifest.FileName);
        var before = (File.ReadAllText(manifest), File.GetLastWriteTimeUtc(manifest));
        var lines = new List<string>();
        var again = FeatureSets.Merge(shards, output, _extraction.Table, lines.Add, TestContext.Current.CancellationToken);
        Assert.Equal(12, again.Rows);
        Assert.Equal([$"{output} holds what this merge would make"], lines);
        Assert.Equal(before, (File.ReadAllText(manifest), File.GetLastWriteTimeUtc(manifest)));

        _extraction.Run();
        Assert.Contains("holds a feature set already", Fails([_extraction.Set], output), StringComparison.Ordinal);
        var part = Path.Combine(output, again.Manifest.Parts[0].File);
        var bytes = File.ReadAllBytes(part);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(part, bytes);
        Assert.Contains("holds a feature set already", Fails(shards, output), StringComparison.Ordinal);
    }

    [Fact]
    public void Extract_AShardWhereOtherVectorsAre_IsRefusedAndKeepsThem()
    {
        var shard = Extract(1, 3);
        _extraction.Run();
        foreach (var (folder, holds) in new[] { (shard, "shard 1/3"), (_extraction.Set, "the vectors of all photos") })
        {
            var before = FeatureSet.Open(folder, _extraction.Table).Rows;
            using var dataset = _extraction.OpenDataset();
            var job = _extraction.Job(dataset) with { Outputs = [new(CutRequest.Default, folder)] };
            var error = Assert.Throws<UsageException>(() => _extraction.Run(job, _extraction.Options with { Shard = new(2, 3) }));
            Assert.Equal(
                $"{folder} holds {holds}, which shard 2/3 would drop: give each shard a folder of its own with --out",
                error.Message
            );
            Assert.Equal(before, FeatureSet.Open(folder, _extraction.Table).Rows);
        }
    }

    [Fact]
    public void Extract_WhollyOtherPhotosIntoASet_IsRefusedAndKeepsIt()
    {
        using var other = new TestExtraction(2, "pants", "skirt");
        other.Run();
        _extraction.Run();
        using var dataset = other.OpenDataset();
        var job = other.Job(dataset) with { Outputs = [new(CutRequest.Default, _extraction.Set)] };
        var error = Assert.Throws<BadInputException>(() => other.Run(job, other.Options));
        Assert.Equal(
            $"{_extraction.Set} holds 12 vectors of other photos (of {_extraction.Photos}), none of which is in {other.Photos}: they "
                + $"would be dropped; choose another folder with --out, or delete this one",
            error.Message
        );
        Assert.Equal(12, _extraction.Open().Rows);
    }

    [Fact]
    public void Merge_WithAShardMissing_NamesIt()
    {
        Assert.Contains(
            "shard 2 of 3 is missing: extract with --shard 2/3",
            Fails([Extract(1, 3), Extract(3, 3)], _extraction.At("merged")),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "shard 1/3 is given twice",
            Fails([Extract(1, 3), Copy(Extract(1, 3))], _extraction.At("merged")),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Merge_OfManyMissingShards_NamesAFew() =>
        Assert.EndsWith(
            "shards 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 1999999989 more of 2000000000 are missing: extract with --shard 1/2000000000",
            Fails([Extract(2_000_000_000, 2_000_000_000)], _extraction.At("merged")),
            StringComparison.Ordinal
        );

    /// <summary>A photo that goes moves the limits of all shards: here 0..6 of 12 and 5..10 of 10, which leaves out the seventh.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Merge_OfShardsBetweenWhichPhotosChanged_IsRefused(bool relabelled)
    {
        var first = Extract(1, 2);
        var dress = Directory.GetFiles(Path.Combine(_extraction.Photos, "train", "dress")).Order(StringComparer.Ordinal).ToArray();
        foreach (var photo in dress.Take(2))
        {
            if (relabelled)
                File.Move(photo, Path.Combine(_extraction.Photos, "train", "hat", Path.GetFileName(photo)));
            else
                File.Delete(photo);
        }

        var second = Extract(2, 2);
        var error = Fails([first, second], _extraction.At("merged"));
        Assert.StartsWith(
            $"{second} and {first} are shards of different datasets: photos, labels or splits",
            error,
            StringComparison.Ordinal
        );
        Assert.False(Directory.Exists(_extraction.At("merged")));

        // The cure that it names.
        var merged = FeatureSets.Merge(
            [Extract(1, 2), Extract(2, 2)],
            _extraction.At("merged"),
            _extraction.Table,
            cancellation: TestContext.Current.CancellationToken
        );
        _extraction.Run();
        TestExtraction.AssertSame(_extraction.Load(), merged.Load());
    }

    [Fact]
    public void Verify_OfAShard_ExpectsItsPhotosAlone()
    {
        var shard = FeatureSet.Open(Extract(2, 3), _extraction.Table);
        using var photos = _extraction.OpenDataset();
        Assert.Empty(PhotoVerification.Run(shard, photos, TestContext.Current.CancellationToken));
        var (first, end) = new Shard(2, 3).Range(photos.Entries.Count);
        var (inside, outside) = (photos.Entries[first].Path, photos.Entries[end].Path);
        foreach (var path in new[] { inside, outside })
            File.AppendAllText(Path.Combine(_extraction.Photos, path), "changed");
        using var changed = _extraction.OpenDataset();
        Assert.StartsWith(
            $"{inside} has changed",
            Assert.Single(PhotoVerification.Run(shard, changed, TestContext.Current.CancellationToken)),
            StringComparison.Ordinal
        );
    }

    /// <summary>Photos of one path whose label changed, as the line of a CSV does.</summary>
    [Fact]
    public void Verify_OfPhotosWithOtherLabels_NamesThem()
    {
        _extraction.Run();
        var set = _extraction.Open();
        using var photos = _extraction.OpenDataset();
        var first = photos.Entries[0];
        var other = photos.Classes.First(c => c != first.Label);
        var table = _extraction.At("labels.csv");
        File.WriteAllLines(
            table,
            [
                "path,label,split",
                .. photos.Entries.Select(p => $"{p.Path},{(p == first ? other : p.Label)},{p.Split.ToString().ToLowerInvariant()}"),
            ]
        );
        using var relabelled = DatasetReader.Open(new() { Path = table, Folder = _extraction.Photos });
        Assert.Equal(
            $"{first.Path} is labelled {other} now, and {first.Label} in the set",
            Assert.Single(PhotoVerification.Run(set, relabelled, TestContext.Current.CancellationToken))
        );
    }

    /// <summary>Names, labels and splits of two datasets may be the same; whether their photos are, only the photos show.</summary>
    [Fact]
    public void Merge_OfShardsOfTwoPlaces_NamesThem()
    {
        var (first, second) = (Extract(1, 2), Extract(2, 2));
        var manifest = FeatureManifest.Read(second)!;
        (manifest with { Dataset = "/elsewhere/photos" }).Write(second);
        var lines = new List<string>();
        FeatureSets.Merge([first, second], _extraction.At("merged"), _extraction.Table, lines.Add, TestContext.Current.CancellationToken);
        Assert.StartsWith(
            $"{first} was extracted from {_extraction.Photos}, {second} from /elsewhere/photos; names, labels and splits are the same",
            Assert.Single(lines),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Merge_OfDifferentRecipes_NamesTheField()
    {
        var one = Extract(1, 2);
        _extraction.Preprocessing = _extraction.Preprocessing with { Interpolation = Interpolation.Bilinear };
        var error = Fails([one, Extract(2, 2)], _extraction.At("merged"));
        Assert.Contains("interpolation is bilinear in the first, bicubic in the second", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Merge_OfTwoDatasets_PutsOneAfterTheOther()
    {
        using var other = new TestExtraction(2, "pants", "skirt");
        _extraction.Run();
        other.Run();
        var merged = FeatureSets.Merge(
            [_extraction.Set, other.Set],
            _extraction.At("merged"),
            _extraction.Table,
            cancellation: TestContext.Current.CancellationToken
        );
        var (a, b, both) = (_extraction.Load(), other.Load(), merged.Load());
        Assert.Equal(["dress", "hat", "pants", "skirt"], both.Classes);
        Assert.Equal([.. a.Rows, .. b.Rows], both.Rows);
        Assert.Equal([.. a.Y, .. b.Y.Select(y => y + 2)], both.Y);
        Assert.Equal(b.X.Row(3), both.X.Row(15));
        Assert.Contains(
            "both have train/dress/",
            Fails([_extraction.Set, Copy(_extraction.Set)], _extraction.At("twice")),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("0/3")]
    [InlineData("4/3")]
    [InlineData("1")]
    [InlineData("-1/3")]
    [InlineData("a/b")]
    public void Shard_OfAnotherForm_IsAUsageError(string text) =>
        Assert.Contains(text, Assert.Throws<UsageException>(() => Shard.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Shard_Ranges_CoverAllEntriesOnce()
    {
        for (var entries = 0; entries < 40; entries++)
        {
            var next = 0;
            for (var i = 1; i <= 7; i++)
            {
                var (first, end) = new Shard(i, 7).Range(entries);
                Assert.Equal(next, first);
                Assert.InRange(end - first, entries / 7, entries / 7 + 1);
                next = end;
            }

            Assert.Equal(entries, next);
        }
    }

    private string Extract(int number, int count)
    {
        var folder = _extraction.At($"shard-{number}");
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with { Outputs = [new(CutRequest.Default, folder)] };
        _extraction.Run(job, _extraction.Options with { Shard = new(number, count) });
        return folder;
    }

    [Fact]
    public void Merge_OfOneSetUnderTwoNames_NamesIt()
    {
        _extraction.Run();
        var link = _extraction.At("link");
        Directory.CreateSymbolicLink(link, _extraction.Set);
        foreach (var again in (string[])[_extraction.Set, _extraction.Set + Path.DirectorySeparatorChar, link])
            Assert.Equal(
                $"features merge: {again} and {_extraction.Set} are one feature set; give each set once",
                Fails([_extraction.Set, again], _extraction.At("merged"))
            );
    }

    private static string Copy(string set)
    {
        var copy = Directory.CreateDirectory(set + "-copy").FullName;
        foreach (var file in Directory.GetFiles(set))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }

    private string Fails(string[] inputs, string output) =>
        Assert
            .Throws<BadInputException>(() =>
                FeatureSets.Merge(inputs, output, _extraction.Table, cancellation: TestContext.Current.CancellationToken)
            )
            .Message;
}
