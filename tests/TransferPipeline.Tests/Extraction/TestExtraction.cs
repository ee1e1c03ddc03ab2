using TransferPipeline.Backbones;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Tests.Images;

namespace TransferPipeline.Tests.Extraction;

/// <summary>
/// A small dataset of real photos in a folder of its own, the embedded backbone, and counters of what an extraction does with them.
/// </summary>
internal sealed class TestExtraction : IDisposable
{
    private readonly TempFolder _folder = new();

    /// <param name="photos">Sample photos per class and split.</param>
    public TestExtraction(int photos = 2, params string[] classes)
    {
        var samples = Path.Combine(SharedData.Repository, "samples", "clothing");
        foreach (var split in (string[])["train", "validation"])
        {
            foreach (var label in classes.Length > 0 ? classes : ["dress", "hat"])
            {
                foreach (var file in Directory.GetFiles(Path.Combine(samples, split, label)).Order(StringComparer.Ordinal).Take(photos))
                    File.Copy(file, _folder.At("photos", split, label, Path.GetFileName(file)));
            }
        }

        var embedded = Path.Combine(SharedData.Repository, "models", "efficientnet-lite0.onnx");
        Model = File.Exists(embedded) ? embedded : SharedData.RequireModel("efficientnet-lite0.onnx");
    }

    public string Photos => _folder.At("photos");

    public string Set => _folder.At("set");

    public string Model { get; set; }

    public CountingDecoder Decoder { get; } = new();

    public IFeatureTable Table { get; } = TestTable.Create();

    public List<string> Messages { get; } = [];

    public ExtractionOptions Options { get; set; } = new() { Workers = 2, RowsPerPart = 3 };

    public Preprocessing Preprocessing { get; set; } =
        new()
        {
            ResizeShortSide = 256,
            CropWidth = 224,
            CropHeight = 224,
            Interpolation = Interpolation.Bicubic,
            Offset = 127,
            Divisor = 128,
        };

    public string At(params string[] parts) => _folder.At(parts);

    public Dataset OpenDataset() => DatasetReader.Open(new() { Path = Photos });

    public ExtractionSpec Job(Dataset dataset, params CutRequest[] cuts)
    {
        var backbone = Backbone.Open(Model);
        if (cuts.Length == 0)
            cuts = [CutRequest.Default];
        return new()
        {
            Dataset = dataset,
            Decoder = Decoder,
            Table = Table,
            Model = Path.GetFileNameWithoutExtension(Model),
            ModelSha256 = backbone.Sha256,
            OpenModel = () => backbone.Cut(cuts),
            Outputs = [.. cuts.Select((c, i) => new ExtractionOutput(c, i == 0 ? Set : Set + i))],
            Preprocessing = Preprocessing,
        };
    }

    /// <summary>One run over the folder as it is now.</summary>
    public ExtractionResult Run()
    {
        using var dataset = OpenDataset();
        Decoder.Count = 0;
        Messages.Clear();
        return Run(Job(dataset), Options);
    }

    public ExtractionResult Run(ExtractionSpec job, ExtractionOptions options) =>
        Extractor.Run(job, options with { Message = Messages.Add }, TestContext.Current.CancellationToken)[0];

    public FeatureSet Open() => FeatureSet.Open(Set, Table);

    public FeatureData Load() => Open().Load();

    /// <summary>File names of the set, and their last writes.</summary>
    public Dictionary<string, DateTime> Files() => Directory.GetFiles(Set).ToDictionary(f => Path.GetFileName(f), File.GetLastWriteTimeUtc);

    public void Dispose() => _folder.Dispose();

    public static void AssertSame(FeatureData expected, FeatureData actual)
    {
        Assert.Equal(expected.Rows, actual.Rows);
        Assert.Equal(expected.Classes, actual.Classes);
        Assert.Equal(expected.Y, actual.Y);
        Assert.True(
            expected
                .X.Data.AsSpan(0, expected.X.Rows * expected.X.Columns)
                .SequenceEqual(actual.X.Data.AsSpan(0, actual.X.Rows * actual.X.Columns))
        );
    }
}

/// <summary>Counts the photos that are decoded: each stands for an inference.</summary>
internal sealed class CountingDecoder : IImageDecoder
{
    private readonly IImageDecoder _decoder = TestDecoder.Create();
    private int _count;
    private int _whole;

    public int Count
    {
        get => _count;
        set => _count = value;
    }

    /// <summary>Photos of which all pixels were requested.</summary>
    public int Whole => _whole;

    /// <summary>Called before each photo with the number of photos so far.</summary>
    public Action<int> Before { get; set; } = static _ => { };

    public string Name => _decoder.Name;

    public string Libraries => _decoder.Libraries;

    public void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination) =>
        Decode(encoded, options, destination, null);

    public void Decode(ReadOnlySpan<byte> encoded, DecodeOptions options, RgbImage destination, IPhotoRegion? region)
    {
        if (region is null)
            Interlocked.Increment(ref _whole);
        Before(Interlocked.Increment(ref _count) - 1);
        _decoder.Decode(encoded, options, destination, region);
    }
}
