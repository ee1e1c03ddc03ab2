using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using TransferPipeline.Backbones;
using TransferPipeline.Backbones.Store;
using TransferPipeline.Classifiers;
using TransferPipeline.Datasets;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Images;
using TransferPipeline.Onnx;
using TransferPipeline.Pipelines;
using TransferPipeline.Pipelines.Yaml;
using TransferPipeline.Tests.Reports;

namespace TransferPipeline.Tests;

/// <summary>
/// What our readers make of damage: a valid file cut at every length, and with a few bytes changed by a fixed seed, is read or reported in
/// one line. Photos, ONNX graphs and Parquet files have the same tests beside their readers.
/// </summary>
public sealed class HostileInputTests : IDisposable
{
#if DEBUG
    private const int Rounds = 60;
#else
    private const int Rounds = 600;
#endif

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Npy_Vectors()
    {
        NpyFile.Write(_folder.At("valid.npy"), [.. Enumerable.Range(0, 24).Select(i => i / 7f)], 6, 4);
        Attack("x.npy", File.ReadAllBytes(_folder.At("valid.npy")), file => NpyFile.ReadMatrix(file));
    }

    [Fact]
    public void Npy_Labels()
    {
        byte[] values = [.. Enumerable.Range(0, 9).SelectMany(i => BitConverter.GetBytes((long)i))];
        var header = "{'descr': '<i8', 'fortran_order': False, 'shape': (9,), }".PadRight(117) + "\n";
        Attack(
            "y.npy",
            [0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Encoding.ASCII.GetBytes(header), .. values],
            file => NpyFile.ReadLabels(file)
        );
    }

    [Theory]
    [InlineData("photos.tar")]
    [InlineData("photos.tar.gz")]
    public void Tar(string name)
    {
        using (var target = File.Create(_folder.At("valid")))
        using (Stream stream = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(target, CompressionLevel.Fastest) : target)
        using (var writer = new TarWriter(stream))
        {
            foreach (
                var member in new[]
                {
                    "photos/cats/1.jpg",
                    "photos/cats/2.jpg",
                    "photos/dogs/a long name that takes more than one hundred bytes so that the archive holds an extended header of "
                        + "its own for it.jpg",
                }
            )
                writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, member) { DataStream = new MemoryStream([1, 2, 3]) });
        }

        Attack(name, File.ReadAllBytes(_folder.At("valid")), ReadAll, rounds: Rounds / 2, step: 7);
    }

    [Fact]
    public void Csv()
    {
        foreach (var photo in new[] { "a.jpg", "b, c.jpg" })
            _folder.Write(photo, "x");
        Attack(
            "labels.csv",
            [0xEF, 0xBB, 0xBF, .. "file,label,split\r\na.jpg,cat,train\r\n\"b, c.jpg\",\"do\"\"g\",validation\r\n"u8],
            ReadAll
        );
    }

    [Fact]
    public void Cifar()
    {
        var record = new byte[3073];
        new Random(1).NextBytes(record);
        record[0] = 3;
        Attack("data_batch_1.bin", record, ReadAll, step: 97);
    }

    [Fact]
    public void Manifest_OfAFeatureSet()
    {
        using var extraction = new Extraction.TestExtraction(2);
        extraction.Run();
        var file = Path.Combine(extraction.Set, FeatureManifest.FileName);
        var valid = File.ReadAllBytes(file);
        File.WriteAllText(file, "{\"format\": 1, \"recipe\": null, \"dimension\": 3}");
        Assert.Contains("is damaged", Assert.Throws<BadInputException>(() => FeatureSet.Open(extraction.Set, extraction.Table)).Message);
        Attack(file, valid, _ => FeatureSet.Open(extraction.Set, extraction.Table).Load(), rounds: Rounds / 4, step: 23);
    }

    [Fact]
    public void Pipeline_File()
    {
        var valid = File.ReadAllBytes(Path.Combine(SharedData.Repository, "pipelines", "hymenoptera-resnet18.yaml"));
        Attack("job.yaml", valid, file => PipelineReader.Read(YamlDocument.Read(file)));
    }

    [Fact]
    public void Manifest_OfAModel()
    {
        var valid = File.ReadAllBytes(Path.Combine(SharedData.Repository, "models", "efficientnet-lite0.yaml"));
        Attack("model.yaml", valid, file => ManifestYaml.Read(file));
    }

    [Fact]
    public void Comparison_AsJson()
    {
        var valid = ComparisonJson.Serialize(
            SyntheticComparison.Create(classes: 2, heads: 2, points: 1) with
            {
                DataCheck = null,
                Map = null,
                Sweeps = [],
                FewShot = [],
            }
        );
        Attack("comparison.json", Encoding.UTF8.GetBytes(valid), file => ComparedHead.Read(file, "softmax"), step: 11);
    }

    [Fact]
    public void Metadata_OfAClassifier()
    {
        var model = new ModelProto();
        new ClassifierInfo
        {
            Labels = ["cat", "dog"],
            Preprocessing = Preprocessing.ImageNet(),
            Layout = TensorLayout.Nchw,
            InputHeight = 224,
            InputWidth = 224,
            Head = "softmax",
            HeadSettings = new Dictionary<string, string> { ["C"] = "1" },
            Recipe = new Dictionary<string, string> { ["model"] = "x" },
        }.WriteTo(model);
        var valid = Encoding.UTF8.GetBytes(model.MetadataProps[1].Value);
        Attack(
            "info.json",
            valid,
            file =>
            {
                model.MetadataProps[1].Value = File.ReadAllText(file);
                ClassifierInfo.ReadFrom(file, model);
            }
        );
    }

    [Fact]
    public void Metadata_OfTheDatasetsLibrary()
    {
        const string Valid =
            """{"info": {"features": {"image": {"_type": "Image"}, "label": {"names": ["a", "b"], "_type": "ClassLabel"}}}}""";
        (string Name, ColumnType Type)[] columns =
        [
            ("image.bytes", ColumnType.Binary),
            ("image.path", ColumnType.Text),
            ("label", ColumnType.Int64),
        ];
        Attack(
            "features.json",
            Encoding.UTF8.GetBytes(Valid),
            file =>
            {
                var found = HuggingFaceColumns.Of(
                    file,
                    new(columns, new Dictionary<string, string> { ["huggingface"] = File.ReadAllText(file) }, 2),
                    new() { Path = file }
                );
                found.LabelOf("1", out _);
            }
        );
    }

    [Theory]
    [InlineData("softmax:C=logspace(-4,2,13),scaling=[none,l2],mlp:hidden_layer_sizes=[(512,128),\"64\"],knn:n_neighbors=5,linear-svm")]
    [InlineData("forest:bootstrap=[true,false],class_weight=0:1,1:2.5,svm-rbf:gamma=[scale,0.1],ridge:alpha=coarse-to-fine")]
    public void Text_OfHeads(string valid) =>
        Attack(
            "heads.txt",
            Encoding.ASCII.GetBytes(valid),
            file => HeadSpec.ParseList(File.ReadAllText(file), ["C=[1,2]"], HeadCatalog.Trainers)
        );

    [Fact]
    public void Text_OfPoolingAndShard()
    {
        Attack("pooling.txt", "adaptive:3x3"u8.ToArray(), file => Pooling.Parse(File.ReadAllText(file)));
        Attack("shard.txt", "12/345"u8.ToArray(), file => Shard.Parse(File.ReadAllText(file)));
    }

    private static void ReadAll(string file)
    {
        using var data = DatasetReader.Open(new() { Path = file });
        var buffer = Array.Empty<byte>();
        for (var i = 0; i < data.Entries.Count; i++)
        {
            data.Stamp(i);
            try
            {
                data.Read(i, ref buffer);
            }
            catch (IOException)
            {
                // One photo that cannot be read is recorded as failed.
            }
        }
    }

    /// <param name="step">Every so many lengths.</param>
    private void Attack(string name, byte[] valid, Action<string> read, int rounds = Rounds, int step = 1)
    {
        var file = Path.IsPathRooted(name) ? name : _folder.At(name);
        File.WriteAllBytes(file, valid);
        read(file);
        for (var length = 0; length < valid.Length; length += step)
            IsReadOrTold(file, valid[..length], read, $"cut at {length}");
        var random = new Random(20261122);
        for (var round = 0; round < rounds; round++)
        {
            var changed = (byte[])valid.Clone();
            for (var i = random.Next(1, 4); i > 0; i--)
                changed[random.Next(changed.Length)] = (byte)(random.Next(2) == 0 ? random.Next(256) : random.Next(' ', '~'));
            IsReadOrTold(file, changed, read, $"round {round}");
        }
    }

    private static void IsReadOrTold(string file, byte[] bytes, Action<string> read, string what)
    {
        File.WriteAllBytes(file, bytes);
        try
        {
            read(file);
        }
        catch (TransferException e)
        {
            Assert.False(e.Message.Contains('\n'), $"{what}: {e.Message}");
            Assert.True(e.Message.Length > 10, what);
        }
        catch (Exception e)
        {
            Assert.Fail(
                $"{what}: {e.GetType().Name}: "
                    + $"{e.Message}\n{Convert.ToBase64String(bytes.AsSpan(0, Math.Min(bytes.Length, 400)))}\n{e.StackTrace}"
            );
        }
    }
}
