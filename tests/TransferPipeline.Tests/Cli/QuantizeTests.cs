using System.Text.Json.Nodes;
using Google.Protobuf;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Cli;

/// <summary>int8 by the command: models quantize with its proof and its refusal, extract --precision int8, pipelines.</summary>
public sealed class QuantizeTests : IDisposable
{
    private static readonly string[] Classes = ["pants", "shoes"];

    private readonly TempFolder _folder = new();

    private Dictionary<string, string> Store => new() { ["TRANSFER_MODELS"] = _folder.At("models") };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Quantize_MakesABackbone_WithItsProof()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 8, Classes);
        var made = Run(
            "models",
            "quantize",
            "efficientnet-lite0",
            "--data",
            photos,
            "--photos",
            "12",
            "--max-loss",
            "1",
            "--out",
            "small.onnx",
            "--json"
        );
        Assert.Equal("", made.ExitCode == 0 ? "" : made.Error);
        var result = JsonNode.Parse(made.Output)!;
        Assert.Equal(12, (int)result["photos"]!);
        Assert.Equal(49, (int)result["layers"]!);
        Assert.Equal("after the feature", (string)result["left"]![0]!["reason"]!);
        var proof = result["proof"]!;
        Assert.Equal(16, (int)proof["trained_on"]!);
        Assert.Equal(["softmax", "linear-svm"], proof["heads"]!.AsArray().Select(h => (string)h!["head"]!));
        // Weights have 7 bits on a CPU without VNNI.
        Assert.InRange((double)proof["cosine_mean"]!, 0.99, 1);
        Assert.True((double)proof["int8_rate"]! > 0);
        Assert.False(File.Exists(_folder.At("small.refused.onnx")));
        Assert.Contains(" photos with small\n", made.Error, StringComparison.Ordinal);

        // A backbone like any other: its manifest is found, and it is cut at the same feature.
        var extracted = Run("extract", "--data", photos, "--model", _folder.At("small.onnx"), "--out", "set");
        Assert.Equal("", extracted.ExitCode == 0 ? "" : extracted.Error);
        Assert.Contains("vectors of 1280 values", extracted.Output, StringComparison.Ordinal);
        var recipe = JsonNode.Parse(File.ReadAllText(_folder.At("set", "manifest.json")))!["recipe"]!;
        Assert.Equal("small", (string)recipe["model"]!);
        Assert.Equal((string)result["sha256"]!, (string)recipe["model_sha256"]!);

        // What is quantized already is refused, by either way.
        var again = Run("models", "quantize", _folder.At("small.onnx"), "--data", photos, "--out", "twice.onnx");
        Assert.Equal(2, again.ExitCode);
        Assert.Contains("is quantized already", again.LastErrorLine, StringComparison.Ordinal);
        var precision = Run("extract", "--data", photos, "--model", _folder.At("small.onnx"), "--precision", "int8", "--out", "other");
        Assert.Equal(2, precision.ExitCode);
        Assert.Contains("is quantized already", precision.LastErrorLine, StringComparison.Ordinal);
    }

    /// <summary>
    /// A network one channel of which is always 1000: 256 levels up to there leave nothing of the others, which tell the classes apart.
    /// </summary>
    [Fact]
    public void Quantize_ThatLosesAccuracy_IsRefused()
    {
        File.WriteAllBytes(_folder.At("constant.onnx"), ConstantChannel());
        ColouredPhotos(_folder.At("photos"));
        var refused = Run(
            "models",
            "quantize",
            _folder.At("constant.onnx"),
            "--data",
            "photos",
            "--min-cosine",
            "0",
            "--max-loss",
            "0.1",
            "--out",
            "small.onnx"
        );
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("falls from 1.0000 to 0.5000, by more than --max-loss 0.1", refused.LastErrorLine, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.At("small.onnx")));
        Assert.True(File.Exists(_folder.At("small.refused.onnx")));
        Assert.Contains("small.refused.onnx", refused.LastErrorLine, StringComparison.Ordinal);

        // In a pipeline as well.
        File.WriteAllText(
            _folder.At("p.yaml"),
            "data: { path: photos }\nmodel: constant.onnx\nquantize: { min-cosine: 0, max-loss: 0.1 }\nheads: [ridge]\n"
        );
        var run = Run("run", "p.yaml");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("quantize.max-loss 0.1", run.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public void ExtractInt8_QuantizesOnce_AndSurvivesTornFiles()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 3, Classes);
        string[] extract = ["extract", "--data", photos, "--model", "efficientnet-lite0", "--precision", "int8", "--out", "set"];
        var first = Run(extract);
        Assert.Equal("", first.ExitCode == 0 ? "" : first.Error);
        Assert.Contains("int8: quantizing efficientnet-lite0 on 6 training photos", first.Error, StringComparison.Ordinal);
        var recipe = JsonNode.Parse(File.ReadAllText(_folder.At("set", "manifest.json")))!["recipe"]!;
        var name = (string)recipe["model"]!;
        Assert.StartsWith("efficientnet-lite0-int8-", name, StringComparison.Ordinal);
        var model = _folder.At("models", name + ".onnx");
        var bytes = File.ReadAllBytes(model);
        Assert.Contains("photos_sha256", File.ReadAllText(_folder.At("models", name + ".yaml")), StringComparison.Ordinal);

        // More photos do not change the backbone of a set that is there.
        File.Copy(SamplePhotos.Photos("train", Classes[0]).Skip(5).First(), Path.Combine(photos, "train", Classes[0], "zz.jpg"));
        var second = Run(extract);
        Assert.Contains("1 computed, 12 reused", second.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("quantizing", second.Error, StringComparison.Ordinal);

        // A run that was killed leaves a manifest without its model, or a temporary file; a disk may tear a file.
        File.Delete(Path.Combine(photos, "train", Classes[0], "zz.jpg"));
        File.Delete(model);
        File.WriteAllBytes(model + ".tmp", bytes[..1000]);
        Assert.Equal(0, Run(extract).ExitCode);
        Assert.Equal(bytes, File.ReadAllBytes(model));
        File.WriteAllBytes(model, bytes[..(bytes.Length / 2)]);
        var torn = Run(extract);
        Assert.Contains("is damaged and is made again", torn.Error, StringComparison.Ordinal);
        Assert.Equal(bytes, File.ReadAllBytes(model));

        // A head trained on the set is exported with the int8 backbone, which the set names.
        var trained = Run("train", "--features", "set", "--head", "nearest-mean", "--out", "classifier.onnx");
        Assert.Equal("", trained.ExitCode == 0 ? "" : trained.Error);
        Assert.Contains(
            ModelProto.Parser.ParseFrom(File.ReadAllBytes(_folder.At("classifier.onnx"))).Graph.Node,
            n => n.OpType == "QuantizeLinear"
        );
    }

    [Fact]
    public void ExtractInt8_OnAGpu_IsRefused()
    {
        var refused = Run(
            "extract",
            "--data",
            SamplePhotos.Folder,
            "--model",
            "efficientnet-lite0",
            "--precision",
            "int8",
            "--device",
            "cuda",
            "--out",
            "set"
        );
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("precision int8 is for the cpu; on cuda use fp16", refused.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public void Quantize_PhotosThatCannotProveIt_AreRefusedBeforeAnythingIsComputed()
    {
        var photos = SamplePhotos.Copy(_folder.At("photos"), 2, Classes);
        var alone = Path.Combine(photos, "train");
        var result = Run("models", "quantize", "efficientnet-lite0", "--data", alone, "--validation-share", "0", "--out", "small.onnx");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("int8 is proven by heads trained on split train and evaluated on another; found train: 4", result.LastErrorLine);
        Assert.False(File.Exists(_folder.At("small.refused.onnx")));
        File.WriteAllText(
            _folder.At("p.yaml"),
            "data: { path: photos/train, validation-share: 0 }\nmodel: efficientnet-lite0\nquantize: {}\nheads: [ridge]\n"
                + "evaluation: { protocol: k-fold, folds: 2 }\n"
        );
        foreach (var more in new string[][] { [], ["--dry-run"] })
        {
            var run = Run(["run", "p.yaml", .. more]);
            Assert.Equal(2, run.ExitCode);
            Assert.Contains("int8 is proven by heads trained on split train", run.Error, StringComparison.Ordinal);
            Assert.False(Directory.Exists(_folder.At("out")));
        }

        var model = SharedData.RequireModel("efficientnet-lite0.onnx");
        File.CreateSymbolicLink(_folder.At("link.onnx"), model);
        var onto = Run("models", "quantize", model, "--data", photos, "--out", "link.onnx");
        Assert.Equal(2, onto.ExitCode);
        Assert.Contains("link.onnx is the float backbone", onto.LastErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public void Pipeline_WithQuantize_ExtractsInInt8()
    {
        SamplePhotos.Copy(_folder.At("photos"), 6, Classes);
        File.WriteAllText(
            _folder.At("p.yaml"),
            "data: { path: photos }\nmodel: efficientnet-lite0\nquantize: { photos: 8, max-loss: 1 }\nheads: [ridge]\n"
                + "export: classifier.onnx\n"
        );
        var plan = Run("run", "p.yaml", "--dry-run");
        Assert.Contains("int8: efficientnet-lite0 is quantized first, on 8 training photos", plan.Output, StringComparison.Ordinal);
        var run = Run("run", "p.yaml");
        Assert.Equal("", run.ExitCode == 0 ? "" : run.Error);
        var proof = Directory.GetFiles(_folder.At("out", "p"), "quantization-*.json").Single();
        Assert.True((double)JsonNode.Parse(File.ReadAllText(proof))!["proof"]!["cosine_mean"]! > 0.99);
        var set = Directory.GetDirectories(_folder.At("out", "p", "features")).Single();
        Assert.StartsWith("efficientnet-lite0-int8-", Path.GetFileName(set), StringComparison.Ordinal);
        Assert.Contains(Path.Combine("features", Path.GetFileName(set)), plan.Output, StringComparison.Ordinal);
        Assert.Matches(@"efficientnet-lite0-int8-\w+ penultimate none +1280 +24 +24 ", Run("run", "p.yaml", "--dry-run").Output);
        var refused = Run("run", "p.yaml", "--dry-run", "--set", $"model={Path.GetFileName(set)}");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("is quantized already", refused.LastErrorLine, StringComparison.Ordinal);
        var again = Run("run", "p.yaml");
        Assert.DoesNotContain("quantizing", again.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("timing", again.Error, StringComparison.Ordinal);

        // The proof is of these photos: with another one under the same name it is made again.
        var replaced = Directory.GetFiles(_folder.At("photos", "validation", Classes[0]))[0];
        File.Copy(SamplePhotos.Photos("validation", Classes[0]).Skip(8).First(), replaced, overwrite: true);
        var other = Run("run", "p.yaml");
        Assert.Equal("", other.ExitCode == 0 ? "" : other.Error);
        Assert.DoesNotContain("quantizing", other.Error, StringComparison.Ordinal);
        Assert.Contains("timing both networks", other.Error, StringComparison.Ordinal);
    }

    private TransferResult Run(params string[] arguments) => TransferProcess.RunIn(_folder.At("."), Store, arguments);

    /// <summary>
    /// Two classes of plain photos that differ a little in colour; each is larger than the buffers that files are first
    /// read into.
    /// </summary>
    private static void ColouredPhotos(string root)
    {
        foreach (var (split, count) in new[] { ("train", 15), ("validation", 10) })
        {
            foreach (var (label, red, blue) in new[] { ("reddish", 130, 100), ("bluish", 100, 130) })
            {
                var folder = Directory.CreateDirectory(Path.Combine(root, split, label)).FullName;
                for (var i = 0; i < count; i++)
                {
                    byte[] colour = [(byte)(red + (i % 5)), (byte)(110 + (i % 3)), (byte)(blue + (i % 4))];
                    using var file = File.Create(Path.Combine(folder, $"{i:00}.ppm"));
                    file.Write("P6 300 300 255\n"u8);
                    file.Write(Enumerable.Repeat(colour, 300 * 300).SelectMany(c => c).ToArray());
                }
            }
        }
    }

    private static byte[] ConstantChannel()
    {
        var model = new ModelProto
        {
            IrVersion = 8,
            Graph = new() { Name = "constant" },
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = 13 });
        model.Graph.Input.Add(GraphWriter.Declare("input", DataType.Float, -1, 3, 32, 32));
        var graph = new GraphWriter(model);
        var weights = graph.Constant("w", [0f, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1], 4, 3, 1, 1);
        var map = graph.Node("Conv", ["input", weights, graph.Constant("b", [1000f, 0, 0, 0], 4)]);
        var vector = graph.Node("Flatten", [graph.Node("GlobalAveragePool", [map])], ("axis", 1L));
        var classifier = graph.Constant("c", [.. Enumerable.Range(0, 40).Select(i => (float)Math.Sin(i))], 10, 4);
        graph.Output(graph.Node("Gemm", [vector, classifier], ("transB", 1L)), "logits", DataType.Float, -1, 10);
        return model.ToByteArray();
    }
}
