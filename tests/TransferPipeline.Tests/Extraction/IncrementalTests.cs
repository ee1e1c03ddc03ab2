using TransferPipeline.Features;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Extraction;

/// <summary>A second run computes what is new and nothing else.</summary>
public sealed class IncrementalTests : IDisposable
{
    private readonly TestExtraction _extraction = new();

    public void Dispose() => _extraction.Dispose();

    [Fact]
    public void Run_OnAnUnchangedSet_InfersAndWritesNothing()
    {
        var first = _extraction.Run();
        var (data, files) = (_extraction.Load(), _extraction.Files());
        Assert.Equal((8, 0), (first.Computed, first.Reused));
        Assert.Equal(
            ["manifest.json", "part-00000.parquet", "part-00001.parquet", "part-00002.parquet"],
            files.Keys.Order(StringComparer.Ordinal)
        );

        var second = _extraction.Run();
        Assert.Equal((0, 8, 0), (second.Computed, second.Reused, _extraction.Decoder.Count));
        Assert.Equal(files, _extraction.Files());
        TestExtraction.AssertSame(data, _extraction.Load());
    }

    [Fact]
    public void Run_WithOnePhotoMore_InfersOne()
    {
        _extraction.Run();
        var before = _extraction.Load();
        Copy("train/hat", 5, "train/dress", "0-first.jpg");
        var result = _extraction.Run();
        Assert.Equal((1, 8, 1), (result.Computed, result.Reused, _extraction.Decoder.Count));
        var after = _extraction.Load();
        Assert.Equal("train/dress/0-first.jpg", after.Rows[0].Path);
        Assert.Equal(before.Rows, after.Rows.Skip(1));
        Assert.Equal(before.X.Row(3), after.X.Row(4));
    }

    [Fact]
    public void Run_WithOneLabelChanged_InfersNone()
    {
        _extraction.Run();
        var before = _extraction.Load();
        var photo = Directory.GetFiles(Path.Combine(_extraction.Photos, "train", "dress")).Max(StringComparer.Ordinal)!;
        File.Move(photo, Path.Combine(_extraction.Photos, "train", "hat", "0-moved.jpg"));
        var result = _extraction.Run();
        Assert.Equal((0, 8, 0), (result.Computed, result.Reused, _extraction.Decoder.Count));
        var after = _extraction.Load();
        Assert.Equal([0, 1, 1, 1, 0, 0, 1, 1], after.Y);
        Assert.Equal(before.X.Row(1), after.X.Row(1));
        Assert.Equal("train/hat/0-moved.jpg", after.Rows[1].Path);
        Assert.Empty(_extraction.Open().Verify().Problems);
    }

    [Fact]
    public void Run_WithAPhotoGone_DropsItsVector()
    {
        _extraction.Run();
        File.Delete(Directory.GetFiles(Path.Combine(_extraction.Photos, "train", "dress"))[0]);
        var result = _extraction.Run();
        Assert.Equal((0, 7, 1), (result.Computed, result.Reused, result.Removed));
        Assert.Equal(7, _extraction.Load().Rows.Count);
        Assert.Empty(_extraction.Open().Verify().Problems);
    }

    [Fact]
    public void Run_WithABadPhotoReplacedInTheSameInstant_InfersIt()
    {
        var bad = Path.Combine(_extraction.Photos, "train", "dress", "0-bad.jpg");
        File.WriteAllText(bad, "not a photo");
        _extraction.Options = _extraction.Options with { MaxFailedShare = 0.5 };
        Assert.Equal(1, _extraction.Run().Failed);
        var time = File.GetLastWriteTimeUtc(bad);
        File.WriteAllBytes(
            bad,
            File.ReadAllBytes(
                Path.Combine(
                    SharedData.Repository,
                    "samples",
                    "clothing",
                    "train",
                    "hat",
                    Path.GetFileName(
                        Directory
                            .GetFiles(Path.Combine(SharedData.Repository, "samples", "clothing", "train", "hat"))
                            .Max(StringComparer.Ordinal)!
                    )
                )
            )
        );
        File.SetLastWriteTimeUtc(bad, time);
        var result = _extraction.Run();
        Assert.Equal((1, 8, 0), (result.Computed, result.Reused, result.Failed));
    }

    [Fact]
    public void Run_WithTouchedPhotos_HashesThemAndInfersNone()
    {
        _extraction.Run();
        foreach (var photo in Directory.GetFiles(_extraction.Photos, "*.jpg", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(photo, DateTime.UnixEpoch.AddDays(9000));
        Assert.Equal((0, 8), (_extraction.Run().Computed, _extraction.Load().Rows.Count));
        Assert.Equal(0, _extraction.Decoder.Count);
    }

    [Fact]
    public void Run_WithAPhotoReplaced_InfersItAgain()
    {
        _extraction.Run();
        var photo = Directory.GetFiles(Path.Combine(_extraction.Photos, "train", "dress")).Min(StringComparer.Ordinal)!;
        var bytes = File.ReadAllBytes(photo);
        bytes[^100] ^= 1;
        File.WriteAllBytes(photo, bytes);
        File.SetLastWriteTimeUtc(photo, DateTime.UnixEpoch.AddDays(9000));
        Assert.Equal((1, 1), (_extraction.Run().Computed, _extraction.Decoder.Count));
    }

    [Fact]
    public void Run_WithTwoCopiesOfOnePhoto_KeepsARowForEach()
    {
        _extraction.Run();
        var photo = Directory.GetFiles(Path.Combine(_extraction.Photos, "train", "dress")).Min(StringComparer.Ordinal)!;
        File.Copy(photo, Path.Combine(_extraction.Photos, "validation", "dress", "copy.jpg"));
        Assert.Equal((0, 9), (_extraction.Run().Computed, _extraction.Load().Rows.Count));
        var data = _extraction.Load();
        var copy = data.Rows.ToList().FindIndex(r => r.Path == "validation/dress/copy.jpg");
        Assert.Equal(data.X.Row(0), data.X.Row(copy));
        Assert.Equal(0, _extraction.Run().Computed);
    }

    [Fact]
    public void Run_ThatEndsBeforeAReplacedPhotoIsComputed_LeavesNoCompleteSet()
    {
        _extraction.Run();
        File.Delete(Photo("train", "dress", 0));
        Copy("train/hat", 5, "train/dress", "0-new.jpg");
        _extraction.Decoder.Before = static _ => throw new InvalidOperationException("a kill");
        Assert.Equal("a kill", Assert.Throws<InvalidOperationException>(() => _extraction.Run()).Message);
        Assert.False(_extraction.Open().Manifest.Complete);
        _extraction.Decoder.Before = static _ => { };
        _extraction.Run();
        Assert.Empty(_extraction.Open().Verify().Problems);
    }

    /// <summary>A version reads photos that the one before could not.</summary>
    [Fact]
    public void Run_OverPhotosThatAnotherVersionCouldNotUse_TriesThemAgain()
    {
        File.WriteAllText(Path.Combine(_extraction.Photos, "train", "hat", "broken.jpg"), "no photo");
        _extraction.Options = _extraction.Options with { MaxFailedShare = 1 };
        _extraction.Run();
        _extraction.Run();
        Assert.Equal(0, _extraction.Decoder.Count);
        (_extraction.Open().Manifest with { Program = "TransferPipeline 0.0.1" }).Write(_extraction.Set);
        var result = _extraction.Run();
        Assert.Equal((0, 1, 1), (result.Computed, result.Failed, _extraction.Decoder.Count));
        _extraction.Run();
        Assert.Equal(0, _extraction.Decoder.Count);
    }

    /// <summary>The list of failed photos and the manifest are two files: what a kill between them leaves is a whole set.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_ThatEndsBeforeItsManifest_LeavesTheListThatTheOldOneNames(bool isReplaced)
    {
        var photo = Photo("train", "dress", 0);
        var right = File.ReadAllBytes(photo);
        File.WriteAllText(photo, "no photo");
        _extraction.Options = _extraction.Options with { MaxFailedShare = 1 };
        _extraction.Run();
        if (isReplaced)
            File.WriteAllText(Photo("train", "hat", 0), "no photo either");
        else
            File.WriteAllBytes(photo, right);
        // A folder of that name keeps the manifest from being written, as a kill would.
        var obstacle = Directory.CreateDirectory(OutputTarget.OwnTemporary(Path.Combine(_extraction.Set, FeatureManifest.FileName)));
        Assert.Throws<JobFailedException>(() => _extraction.Run());
        obstacle.Delete();
        var set = _extraction.Open();
        Assert.DoesNotContain(set.Verify().Problems, p => p.Contains("failed.parquet", StringComparison.Ordinal));
        Assert.Single(set.LoadFailed());
        _extraction.Run();
        Assert.Equal(isReplaced ? 2 : 0, _extraction.Open().LoadFailed().Count);
        Assert.Equal(isReplaced, File.Exists(Path.Combine(_extraction.Set, "failed.parquet")));
        Assert.Empty(_extraction.Open().Verify().Problems);
    }

    [Theory]
    [InlineData("interpolation", "bicubic", "bilinear")]
    [InlineData("resize", "256", "224")]
    [InlineData("decoder", "", "another 1.0")]
    public void Run_WithAnotherRecipe_NamesTheFieldAndMakesAnotherSet(string field, string old, string now)
    {
        _extraction.Run();
        var files = _extraction.Files();
        using var dataset = _extraction.OpenDataset();
        if (field == "interpolation")
            _extraction.Preprocessing = _extraction.Preprocessing with { Interpolation = Interpolation.Bilinear };
        if (field == "resize")
            _extraction.Preprocessing = _extraction.Preprocessing with { ResizeShortSide = 224 };
        var job = _extraction.Job(dataset);
        if (field == "decoder")
            job = job with { Decoder = new RenamedDecoder(job.Decoder, now) };

        var error = Assert.Throws<BadInputException>(() => _extraction.Run(job, _extraction.Options with { NewSetBeside = false }));
        Assert.Contains($"{field} was {(old == "" ? _extraction.Decoder.Name : old)}, is {now}", error.Message, StringComparison.Ordinal);
        Assert.Contains("--out", error.Message, StringComparison.Ordinal);

        var result = _extraction.Run(job, _extraction.Options);
        Assert.Equal(field, Assert.Single(result.Differences).Field);
        Assert.Contains(field, Assert.Single(_extraction.Messages), StringComparison.Ordinal);
        Assert.StartsWith(_extraction.Set + "-", result.Folder, StringComparison.Ordinal);
        Assert.Equal(8, FeatureSet.Open(result.Folder, _extraction.Table).Rows);
        Assert.Equal(files, _extraction.Files());
        Assert.Equal(0, _extraction.Run(job, _extraction.Options).Computed);
    }

    private string Photo(string split, string label, int index) =>
        Directory.GetFiles(Path.Combine(_extraction.Photos, split, label)).Order(StringComparer.Ordinal).ElementAt(index);

    private void Copy(string from, int index, string to, string name)
    {
        var source = Directory
            .GetFiles(Path.Combine(SharedData.Repository, "samples", "clothing", from))
            .Order(StringComparer.Ordinal)
            .ElementAt(index);
        File.Copy(source, Path.Combine(_extraction.Photos, to, name));
    }

    private sealed class RenamedDecoder(IImageDecoder decoder, string name) : IImageDecoder
    {
        public string Name => name;

        public string Libraries => decoder.Libraries;

        public void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination) =>
            Decode(encoded, options, destination, null);

        public void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination, IPhotoRegion? region) =>
            decoder.Decode(encoded, options, destination, region);
    }
}
