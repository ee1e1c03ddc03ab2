using TransferPipeline.Backbones;
using TransferPipeline.Features;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Extraction;

/// <summary>
/// Sets that the program wrote while recipes named the decoder's libraries (EarlierSets, by commit 8dc64d0: two photos per class and split
/// of
/// samples/clothing, and the same turned as EXIF says) stay valid: read, verified, extended, nothing recomputed.
/// </summary>
public sealed class EarlierSetTests : IDisposable
{
    private const string Libraries = "libjpeg-turbo 3.1.2, libvips 8.18.7";

    private readonly TestExtraction _extraction = new();

    public EarlierSetTests()
    {
        var folder = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "Extraction", "EarlierSets");
        foreach (var file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
            File.Copy(file, _extraction.At(Path.GetRelativePath(folder, file)));
    }

    public void Dispose() => _extraction.Dispose();

    [Theory]
    [InlineData("libjpeg-turbo 3.1.2, libvips 8.18.4", "pillow 1")]
    [InlineData("libvips 8.17.1", "pillow 1")]
    [InlineData("ImageSharp 3.1.12 with libjpeg's transform", "ImageSharp 3.1.12 with libjpeg's transform")]
    [InlineData("imagesharp 2.1.13", "imagesharp 2.1.13")]
    [InlineData("libvips 8.17.1 of somebody", "libvips 8.17.1 of somebody")]
    public void Decoder_ThatNamesLibraries_MeansTheirPixels(string written, string pixels)
    {
        using var dataset = _extraction.OpenDataset();
        Assert.Equal(pixels, (_extraction.Job(dataset).RecipeOf(0) with { Decoder = written }).Decoder);
    }

    [Fact]
    public void Open_EarlierSet_IsWholeAndNamesItsLibraries()
    {
        var set = _extraction.Open();

        Assert.Empty(set.Verify().Problems);
        Assert.Equal(8, set.Rows);
        Assert.Equal("pillow 1", set.Recipe.Decoder);
        Assert.Equal([Libraries], set.Manifest.DecodedBy);
    }

    [Fact]
    public void Run_OnEarlierSet_ComputesNothing()
    {
        var vectors = _extraction.Load();

        var result = _extraction.Run();

        Assert.Equal((_extraction.Set, 0, 8, 0), (result.Folder, result.Computed, result.Reused, _extraction.Decoder.Count));
        Assert.Equal([Libraries], _extraction.Open().Manifest.DecodedBy);
        Assert.True(vectors.X.Data.AsSpan(0, 8 * 1280).SequenceEqual(_extraction.Load().X.Data.AsSpan(0, 8 * 1280)));
    }

    [Fact]
    public void Run_WithOneMorePhoto_ComputesThatOneAndEqualsAWholeRun()
    {
        var samples = Path.Combine(SharedData.Repository, "samples", "clothing", "train", "hat");
        var third = Directory.GetFiles(samples).Order(StringComparer.Ordinal).ElementAt(2);
        File.Copy(third, Path.Combine(_extraction.Photos, "train", "hat", Path.GetFileName(third)));

        var result = _extraction.Run();

        Assert.Equal((1, 8), (result.Computed, result.Reused));
        var extended = _extraction.Open();
        Assert.Equal([Libraries, .. new[] { _extraction.Decoder.Libraries }.Where(l => l != Libraries)], extended.Manifest.DecodedBy);
        Assert.Contains(
            "\"pillow 1\"",
            File.ReadAllText(Path.Combine(_extraction.Set, FeatureManifest.FileName)),
            StringComparison.Ordinal
        );
        using var dataset = _extraction.OpenDataset();
        var whole = _extraction.At("whole");
        _extraction.Run(_extraction.Job(dataset) with { Outputs = [new(CutRequest.Default, whole)] }, _extraction.Options);
        TestExtraction.AssertSame(FeatureSet.Open(whole, _extraction.Table).Load(), extended.Load());
    }

    [Fact]
    public void Run_OfTheRecipeBesideIt_FindsTheEarlierFolder()
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with { Decode = new DecodeOptions { ExifTranspose = true } };

        var result = _extraction.Run(job, _extraction.Options);

        Assert.Equal((_extraction.Set + "-d406a972", 0, 8), (result.Folder, result.Computed, result.Reused));
    }

    [Fact]
    public void Run_WhereAnotherDecoderMadeTheSet_MakesAnother()
    {
        var manifest = Path.Combine(_extraction.Set, FeatureManifest.FileName);
        File.WriteAllText(
            manifest,
            File.ReadAllText(manifest).Replace(Libraries, "ImageSharp 3.1.12 with libjpeg's transform", StringComparison.Ordinal)
        );

        var result = _extraction.Run();

        Assert.Equal(8, result.Computed);
        Assert.Equal("decoder", Assert.Single(result.Differences).Field);
        Assert.Null(_extraction.Open().Manifest.DecodedBy);
    }
}
