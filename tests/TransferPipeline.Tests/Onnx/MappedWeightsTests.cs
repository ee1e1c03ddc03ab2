using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Inference;
using TransferPipeline.Onnx;
using TransferPipeline.Tests.Backbones;

namespace TransferPipeline.Tests.Onnx;

/// <summary>Sessions whose weights stay in the backbone's file give the same bits as a graph with all weights in it.</summary>
public sealed class MappedWeightsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void CreateSession_GemmAboveTheSliceLimit_GivesTheSameBits()
    {
        // 120,000 x 72 floats are 35 MB: two slices, the second not a multiple of the step.
        var m = new SmallModel();
        var hidden = m.Node("Relu", m.Gemm(m.Node("Flatten", m.Body(m.Input)), 72, 120_000));
        m.Output(m.Gemm(hidden, 120_000, SmallModel.Classes));
        var cut = Backbone.Open(m.Save(_folder)).Cut();
        Assert.InRange(cut.Model.CalculateSize(), 1000, 20_000);
        Assert.InRange(cut.TotalBytes, 35_000_000, 36_000_000);
        Assert.Contains("_slice", AssertSameBits(cut), StringComparison.Ordinal);
    }

    [Fact]
    public void CreateSession_FileThatIsALink_IsMappedFromItsTarget()
    {
        var m = Small();
        var link = Path.Combine(_folder.At("names"), "model.onnx");
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        File.CreateSymbolicLink(link, m.Save(_folder));
        AssertSameBits(Backbone.Open(link).Cut());
    }

    [Fact]
    public void CreateSession_DataInASubfolder_IsMapped()
    {
        var m = Small();
        var tensor = m.Model.Graph.Initializer.First(i => i.Dims is [64, 72]);
        var data = Path.Combine(_folder.At("weights"), "data.bin");
        Directory.CreateDirectory(Path.GetDirectoryName(data)!);
        File.WriteAllBytes(data, [0, 0, .. tensor.RawData.Span]);
        TensorData.SetLocation(tensor, "weights/data.bin", 2, tensor.RawData.Length);
        tensor.RawData = ByteString.Empty;
        AssertSameBits(Backbone.Open(m.Save(_folder)).Cut());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Read_ExplicitDefaultLocation_KeepsTheWeights(bool behindTheData)
    {
        // onnx.load_external_data writes data_location DEFAULT (field 14) into each tensor, and writers choose the order of fields.
        var m = Small();
        var expected = SmallModel.RunCut(Backbone.Open(m.Save(_folder)).Cut(), Probe.Pixels([2, 3, 12, 12]), 2);
        var initializers = m.Model.Graph.Initializer.Select(i => Located(i.ToByteArray())).ToList();
        m.Model.Graph.Initializer.Clear();
        var graph = m.Model.Graph.ToByteArray();
        m.Model.Graph = null;
        var file = _folder.At("explicit.onnx");
        File.WriteAllBytes(file, [.. m.Model.ToByteArray(), .. Field(7, [.. graph, .. initializers.SelectMany(i => Field(5, i))])]);

        var cut = Backbone.Open(file).Cut();
        Assert.Equal(expected, SmallModel.RunCut(cut, Probe.Pixels([2, 3, 12, 12]), 2));
        AssertSameBits(cut);

        byte[] Located(byte[] tensor) => behindTheData ? [.. tensor, 14 << 3, 0] : [14 << 3, 0, .. tensor];
        static byte[] Field(int number, byte[] content)
        {
            using var stream = new MemoryStream();
            using var writer = new CodedOutputStream(stream);
            writer.WriteTag(number, WireFormat.WireType.LengthDelimited);
            writer.WriteBytes(ByteString.CopyFrom(content));
            writer.Flush();
            return stream.ToArray();
        }
    }

    [Fact]
    public void FileGoneSinceTheCut_IsTold()
    {
        var file = Small().Save(_folder);
        var cut = Backbone.Open(file).Cut();
        File.Delete(file);
        Assert.Contains("gone, but tensor", Assert.Throws<BadInputException>(cut.SerializeWithWeights).Message);
        Assert.Contains(
            "ONNX Runtime cannot load the backbone",
            Assert.Throws<BadInputException>(() => SessionFactory.Create(cut, new())).Message
        );
    }

    private static SmallModel Small()
    {
        var m = new SmallModel();
        m.Output(m.Gemm(m.Node("Relu", m.Gemm(m.Node("Flatten", m.Body(m.Input)), 72, 64)), 64, SmallModel.Classes));
        return m;
    }

    /// <returns>The session's profile.</returns>
    private string AssertSameBits(CutModel cut)
    {
        Assert.True(cut.ExternalBytes > 0);
        var pixels = Probe.Pixels([2, 3, cut.InputHeight, cut.InputWidth]);
        var expected = SmallModel.RunCut(cut, pixels, 2);
        using var session = SessionFactory.Create(cut, new(), profile: _folder.At("profile"));
        using var runner = new BackboneRunner(session, cut, 2);
        for (var slot = 0; slot < 2; slot++)
            pixels.AsSpan(slot * runner.PixelsPerPhoto, runner.PixelsPerPhoto).CopyTo(runner.Pixels(slot));
        runner.Run();
        Assert.Equal(expected, runner.Vectors(0).Data.AsSpan(0, expected.Length).ToArray());
        return File.ReadAllText(session.EndProfiling());
    }
}
