using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using TransferPipeline;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Heads;
using TransferPipeline.Images;
using TransferPipeline.Jobs;

namespace Extensions;

/// <summary>A head, a decoder and a form of dataset of one's own, on photos of the sample.</summary>
public sealed class ExtensionTests : IDisposable
{
    private const string Model = "efficientnet-lite0";
    private readonly string _folder = Directory.CreateTempSubdirectory("transfer-extensions-").FullName;
    private readonly Toolbox _tools = DefaultTools.Create();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Head_OfOnesOwn_IsComparedSweptExportedAndUsed()
    {
        using var photos = _tools.OpenDataset(Photos("jpg", static (file, copy) => File.Copy(file, copy)));
        var features = await _tools.ExtractAsync(photos, Model, Path.Combine(_folder, "v"), cancellation: Cancellation);
        var swept = HeadSpec.Create(new PerceptronTrainer(), new Dictionary<string, string> { ["epochs"] = "[1,5,20]" });
        var lines = new Lines();

        var heads = await _tools.CompareAsync(features, [new Softmax(), new Perceptron(), swept], null, lines, Cancellation);
        var file = Path.Combine(_folder, "classifier.onnx");
        var check = await heads.ExportAsync(file, heads.Heads[1], photos, Cancellation);
        using var classifier = _tools.OpenClassifier(file);

        Assert.Equal(["softmax", "perceptron", "perceptron"], heads.Result.Heads.Select(h => h.Name));
        Assert.All(heads.Result.Heads, h => Assert.InRange(h.Accuracy.Value, 0.6, 1));
        Assert.Equal("10", heads.Result.Heads[1].Parameters["epochs"]);
        Assert.Contains(heads.Result.Heads[2].Parameters["epochs"], new[] { "1", "5", "20" });
        Assert.StartsWith("replayed ", check);
        Assert.NotEmpty(lines.All);
        var photo = Path.Combine(photos.Source, photos.Entries[0].Path);
        Assert.Equal(photos.Entries[0].Label, classifier.Predict(photo).Label);
    }

    [Fact]
    public async Task Head_OptionOutOfRange_IsRefusedByItsName()
    {
        using var photos = _tools.OpenDataset(Photos("jpg", static (file, copy) => File.Copy(file, copy)));
        var features = await _tools.ExtractAsync(photos, Model, Path.Combine(_folder, "v"), cancellation: Cancellation);

        var error = await Assert.ThrowsAsync<UsageException>(() =>
            _tools.CompareAsync(features, [new Perceptron { Epochs = 0 }], cancellation: Cancellation)
        );
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();

        Assert.Equal("perceptron: epochs is '0', expected a whole number of at least 1", error.Message);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            _tools.CompareAsync(features, [new Perceptron()], cancellation: stopped.Token)
        );
    }

    [Fact]
    public async Task Decoder_OfOnesOwn_GivesTheVectorsOfThePixels()
    {
        var picture = new RgbImage();
        using var jpegs = _tools.OpenDataset(Photos("jpg", static (file, copy) => File.Copy(file, copy)));
        var table = Photos("ff", (file, copy) => File.WriteAllBytes(copy, Farbfeld(Decoded(file, picture))));
        var list = Path.Combine(table, "photos.csv");
        var rows = jpegs.Entries.Select(e => $"{Path.ChangeExtension(e.Path, "ff")},{e.Label},{e.Split}");
        File.WriteAllLines(list, ["path,label,split", .. rows]);
        var own = _tools.WithDecoder(new FarbfeldDecoder());
        using var pictures = own.OpenDataset(list);

        var expected = (await _tools.ExtractAsync(jpegs, Model, Path.Combine(_folder, "a"), cancellation: Cancellation)).Load();
        var set = await own.ExtractAsync(pictures, Model, Path.Combine(_folder, "b"), cancellation: Cancellation);

        Assert.Equal("farbfeld 1", set.Recipe.Decoder);
        var actual = set.Load();
        Assert.Equal(expected.Rows.Select(r => Path.ChangeExtension(r.Path, "ff")), actual.Rows.Select(r => r.Path));
        Assert.Equal(
            expected.X.Data.AsSpan(0, expected.X.Rows * expected.X.Columns),
            actual.X.Data.AsSpan(0, actual.X.Rows * actual.X.Columns)
        );
    }

    [Fact]
    public async Task Dataset_OfOnesOwn_GivesTheVectorsOfItsPhotos()
    {
        const int Side = 64;
        var (pgm, idx) = (Path.Combine(_folder, "pgm"), Directory.CreateDirectory(Path.Combine(_folder, "idx")).FullName);
        var (sources, picture) = (Sources(), new RgbImage());
        foreach (var (part, split) in new[] { ("train", Splits.Train), ("t10k", Splits.Test) })
        {
            var grey = sources
                .Where(s => s.Split == Splits.Train == (split == Splits.Train))
                .Select(s => (s.Label, Grey(Decoded(s.File, picture), Side)))
                .ToArray();
            File.WriteAllBytes(
                Path.Combine(idx, part + "-images-idx3-ubyte"),
                [0, 0, 8, 3, .. Number(grey.Length), .. Number(Side), .. Number(Side), .. grey.SelectMany(g => g.Item2)]
            );
            File.WriteAllBytes(
                Path.Combine(idx, part + "-labels-idx1-ubyte"),
                [0, 0, 8, 1, .. Number(grey.Length), .. grey.Select(g => g.Label)]
            );
            for (var i = 0; i < grey.Length; i++)
            {
                var file = Path.Combine(pgm, split, $"{grey[i].Label}", $"{i:00000}.pgm");
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                File.WriteAllBytes(file, [.. "P5 64 64 255\n"u8, .. grey[i].Item2]);
            }
        }

        using var own = new IdxDataset(idx);
        using var files = _tools.OpenDataset(pgm);
        var set = await _tools.ExtractAsync(own, Model, Path.Combine(_folder, "a"), cancellation: Cancellation);
        var actual = set.Load();
        var expected = (await _tools.ExtractAsync(files, Model, Path.Combine(_folder, "b"), cancellation: Cancellation)).Load();

        Assert.Equal(["0", "1", "2"], actual.Classes);
        Assert.Equal(expected.X.Rows, actual.X.Rows);
        for (var i = 0; i < actual.X.Rows; i++)
        {
            var twin = Enumerable.Range(0, expected.X.Rows).Single(j => expected.Rows[j].ImageSha256 == actual.Rows[i].ImageSha256);
            Assert.Equal((expected.Rows[twin].Label, expected.Rows[twin].Split), (actual.Rows[i].Label, actual.Rows[i].Split));
            Assert.Equal(expected.X.Row(twin), actual.X.Row(i));
        }
    }

    [Theory]
    [InlineData("Perceptron.cs")]
    [InlineData("FarbfeldDecoder.cs")]
    [InlineData("IdxDataset.cs")]
    public void Extension_TakesFewerThanSixtyLines(string file) =>
        Assert.InRange(File.ReadAllLines(Path.Combine(ThisFolder(), file)).Length, 20, 59);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A few photos of three classes of the sample, in the order of their paths.</summary>
    private static List<(string File, byte Label, string Split)> Sources()
    {
        var sample = Path.Combine(ThisFolder(), "..", "..", "samples", "clothing");
        string[] splits = [Splits.Train, Splits.Validation];
        return
        [
            .. from split in splits
            from label in Directory
                .GetDirectories(Path.Combine(sample, split))
                .Order(StringComparer.Ordinal)
                .Take(3)
                .Select((f, i) => (f, i))
            from file in Directory.GetFiles(label.f).Order(StringComparer.Ordinal).Take(8)
            select (file, (byte)label.i, split),
        ];
    }

    /// <summary>A folder per split and class with those photos, in another format.</summary>
    private string Photos(string extension, Action<string, string> write)
    {
        var folder = Path.Combine(_folder, extension);
        foreach (var (file, _, split) in Sources())
        {
            var to = Path.Combine(folder, split, Path.GetFileName(Path.GetDirectoryName(file)!));
            Directory.CreateDirectory(to);
            write(file, Path.Combine(to, Path.ChangeExtension(Path.GetFileName(file), extension)));
        }

        return folder;
    }

    private RgbImage Decoded(string file, RgbImage picture)
    {
        _tools.Decoder.Decode(File.ReadAllBytes(file), new DecodeOptions(), picture);
        return picture;
    }

    private static byte[] Farbfeld(RgbImage picture)
    {
        var pixels = picture.Pixels;
        var encoded = new List<byte>([.. "farbfeld"u8, .. Number(picture.Width), .. Number(picture.Height)]);
        for (var i = 0; i < pixels.Length; i += 3)
            encoded.AddRange([pixels[i], pixels[i], pixels[i + 1], pixels[i + 1], pixels[i + 2], pixels[i + 2], 255, 255]);
        return [.. encoded];
    }

    private static byte[] Grey(RgbImage picture, int side)
    {
        var grey = new byte[side * side];
        for (var i = 0; i < grey.Length; i++)
            grey[i] = picture.Row(i / side * picture.Height / side)[i % side * picture.Width / side * 3 + 1];
        return grey;
    }

    private static byte[] Number(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static string ThisFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;

    private sealed class Lines : IProgress<string>
    {
        public List<string> All { get; } = [];

        public void Report(string value) => All.Add(value);
    }
}
