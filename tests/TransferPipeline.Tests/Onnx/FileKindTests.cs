using System.IO.Compression;
using System.Text;
using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using TransferPipeline.Tests.Backbones;

namespace TransferPipeline.Tests.Onnx;

/// <summary>Files that are given in the place of an ONNX model are called by their names; links lead to theirs.</summary>
public sealed class FileKindTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, byte[]> Kinds() =>
        new()
        {
            { "Git LFS pointer", Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n") },
            { "web page", Encoding.ASCII.GetBytes("\n<html><head><title>404</title></head></html>") },
            { "TorchScript", Zip("model/data.pkl", "model/code/__torch__.py") },
            { "PyTorch checkpoint", Zip("archive/data.pkl", "archive/data/0") },
            { "'net.onnx' in it; unpack it", Zip("readme.txt", "net.onnx") },
            { "Keras model", Zip("config.json", "model.weights.h5") },
            { "ML.NET model", Zip("TransformerChain/Model.key", "TrainingInfo/Version.txt") },
            { "Python pickle", [0x80, 2, (byte)'}', (byte)'q', 0, (byte)'.'] },
            { "HDF5", [0x89, (byte)'H', (byte)'D', (byte)'F', 13, 10, 26, 10, 0, 0] },
            { "safetensors", [16, 0, 0, 0, 0, 0, 0, 0, .. "{\"w\":{\"dtype\":1}"u8] },
            { "ONNX Runtime's own format", [28, 0, 0, 0, .. "ORTM"u8, 0, 0, 0, 0] },
            { "TensorFlow Lite", [28, 0, 0, 0, .. "TFL3"u8, 0, 0, 0, 0] },
            { "OpenVINO", Encoding.ASCII.GetBytes("<?xml version=\"1.0\"?>\n<net name=\"m\" version=\"11\">") },
            { "compressed with gzip", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3] },
            { "JSON", Encoding.ASCII.GetBytes("{\"model_type\": \"vit\"}") },
            { "a photo", [0xff, 0xd8, 0xff, 0xe0, 0, 16, .. "JFIF"u8] },
            { "GGUF", [.. "GGUF"u8, 3, 0, 0, 0] },
            { "MATLAB", [.. "MATLAB 5.0 MAT-file, Platform: GLNXA64"u8, 0, 1, .. "IM"u8] },
            { "TensorRT", [.. "ftrt"u8, 0, 0, 0, 0, 9, 0, 0, 0] },
            { "parameters of MXNet", [0x12, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
            { "network of an MXNet model", Encoding.ASCII.GetBytes("{\n \"nodes\": [{\n \"op\": \"null\", \"name\": \"data\"}]}") },
            { "parameters of PaddlePaddle", [.. new byte[16], 5, 0, 0, 0, 8, 5, 16, 32, 16, 3, 1, 2, 3, 4] },
            { "PaddlePaddle model", [0x0A, 0x90, 1, 8, 0, 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0x1A, 2] },
            { "PaddlePaddle model", Encoding.ASCII.GetBytes("{\"base_code\":{\"magic\":\"pir\",\"version\":1}}") },
            { "TensorFlow graph", [0x0A, 24, 0x0A, 5, .. "input"u8, 0x12, 11, .. "Placeholder"u8, 0x2A] },
            { "TensorFlow SavedModel", [8, 1, 0x12, 90, 0x0A, 20, 0x22, 5, .. "serve"u8, 0x2A, 3, .. "2.1"u8] },
            { "Core ML model", [8, 4, 0x12, 40, 0x0A, 20, 0x0A, 5, .. "image"u8, 0x1A, 4, 1, 2, 3, 4] },
            { "ONNX model written as text", Encoding.ASCII.GetBytes("ir_version: 8\nproducer_name: \"pytorch\"\n") },
            { "ONNX model written as text", Encoding.ASCII.GetBytes("<\n  ir_version: 8,\n  opset_import: [\"\" : 15]\n>\ng (") },
        };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Open_AnotherKindOfFile_IsNamed(string expected, byte[] bytes)
    {
        var error = Assert.Throws<BadInputException>(() => Backbone.Open(_folder.Write("model.onnx", bytes)));
        Assert.Contains(expected, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("saved_model.pb", "is a TensorFlow SavedModel; convert it to ONNX with 'python -m tf2onnx.convert'")]
    [InlineData("onnx/model.onnx", "is a folder; give one of its files: ")]
    [InlineData("notes.txt", "is a folder; expected an ONNX model")]
    public void Open_Folder_StatesWhatItHolds(string name, string expected)
    {
        Directory.CreateDirectory(_folder.At("net", "onnx"));
        File.WriteAllText(_folder.At("net", name), "");
        var message = Assert.Throws<BadInputException>(() => Backbone.Open(_folder.At("net"))).Message;
        Assert.Contains(expected, message);
        Assert.Equal(name.EndsWith(".onnx", StringComparison.Ordinal), message.EndsWith("model.onnx", StringComparison.Ordinal));
    }

    [Fact]
    public void Open_LinkThatWasCopiedAsText_IsNamed()
    {
        var real = SmallModel.Plain().Save(_folder, "real.onnx");
        Assert.Contains(
            $"is a symbolic link that was copied as text; use the file that it names, {real}",
            Assert.Throws<BadInputException>(() => Backbone.Open(_folder.Write("model.onnx", "./real.onnx"))).Message
        );
    }

    [Fact]
    public void Cut_NewestOpset_IsTakenAndTheNextIsRefused()
    {
        // The constants are those of the ONNX Runtime in use.
        SmallModel.Plain(CutBuilder.MaxOpset).Save(_folder, "newest.onnx");
        Assert.Equal(8, Backbone.Open(_folder.At("newest.onnx")).Cut().Outputs[0].Dimension);
        var next = SmallModel.Plain(CutBuilder.MaxOpset + 1).Save(_folder, "next.onnx");
        Assert.Contains(
            $"of opset {CutBuilder.MaxOpset + 1}, and this ONNX Runtime takes up to {CutBuilder.MaxOpset}",
            Assert.Throws<BadInputException>(() => Backbone.Open(next).Cut()).Message
        );
        var m = SmallModel.Plain();
        m.Model.IrVersion = CutBuilder.MaxIrVersion;
        Assert.Equal(8, Backbone.Open(m.Save(_folder)).Cut().Outputs[0].Dimension);
        m.Model.IrVersion++;
        Assert.Contains(
            $"IR version {m.Model.IrVersion}",
            Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder)).Cut()).Message
        );
    }

    [Fact]
    public void Open_ExternalDataBehindLinks_IsMeasuredWhereItIs()
    {
        // A model and its data as links into a folder of blobs, by two steps, and a file that is shorter than the model says.
        var m = SmallModel.Plain();
        var pixels = Probe.Pixels([2, 3, 12, 12], 5);
        var cut = Backbone.Open(m.Save(_folder, "plain.onnx")).Cut();
        using (var data = File.Create(_folder.At("blobs", "b")))
        {
            foreach (var tensor in m.Model.Graph.Initializer.Where(i => i.Dims.Count > 1))
            {
                TensorData.SetLocation(tensor, "weights.bin", data.Position, tensor.RawData.Length);
                data.Write(tensor.RawData.Span);
                tensor.RawData = ByteString.Empty;
            }
        }

        File.WriteAllBytes(_folder.At("blobs", "a"), m.Model.ToByteArray());
        File.CreateSymbolicLink(_folder.At("refs", "b"), "../blobs/b");
        File.CreateSymbolicLink(_folder.At("snapshot", "model.onnx"), "../blobs/a");
        File.CreateSymbolicLink(_folder.At("snapshot", "weights.bin"), "../refs/b");
        var linked = Backbone.Open(_folder.At("snapshot", "model.onnx"));
        Assert.Equal(SmallModel.RunCut(cut, pixels, 2), SmallModel.RunCut(linked.Cut(), pixels, 2));
        File.WriteAllBytes(_folder.At("blobs", "b"), File.ReadAllBytes(_folder.At("blobs", "b"))[..^4]);
        Assert.Contains("truncated", Assert.Throws<BadInputException>(() => Backbone.Open(_folder.At("snapshot", "model.onnx"))).Message);
    }

    private static byte[] Zip(params string[] names)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var name in names)
                zip.CreateEntry(name);
        }

        return stream.ToArray();
    }
}
