using System.Text;
using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <summary>Files that are not what they say: each gives one line that names the file, or works; nothing else escapes.</summary>
public sealed class CorruptModelTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_MissingFile_SaysSo() =>
        Assert.Contains("no such file", Assert.Throws<BadInputException>(() => Backbone.Open(_folder.At("nothing.onnx"))).Message);

    [Theory]
    [InlineData("")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 553437938\n")]
    [InlineData("<!DOCTYPE html><html><body>Not found</body></html>")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    public void Open_SomethingElse_IsNotAnOnnxModel(string text)
    {
        var file = _folder.Write("m.onnx", Encoding.UTF8.GetBytes(text));
        var error = Assert.Throws<BadInputException>(() => Backbone.Open(file));
        Assert.StartsWith(file + ": not an ONNX model", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Open_Pipe_IsNotAnOnnxModel()
    {
        var file = _folder.Pipe("pipe.onnx");
        Assert.StartsWith(file + ": not an ONNX model", Assert.Throws<BadInputException>(() => Backbone.Open(file)).Message);
    }

    [Fact]
    public void Open_NoImageInput_SaysWhatThereIs()
    {
        var m = new SmallModel(17, "ids", DataType.Float, -1, 8);
        m.Output(m.Gemm(m.Input, 8, SmallModel.Classes));
        Assert.Contains(
            "its inputs are ids (N x 8); expected one image input",
            Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder))).Message
        );
    }

    [Fact]
    public void Open_TwoPhotos_IsRefused()
    {
        var m = SmallModel.Plain();
        m.Model.Graph.Input.Add(GraphWriter.Declare("second", DataType.Float, -1, 3, 8, 8));
        Assert.Contains("second (N x 3 x 8 x 8)", Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder))).Message);
    }

    [Theory]
    [InlineData("input (N x 3 x 8 x 8, int8); expected one image input", (int)DataType.Int8, -1L, 3L, 8L, 8L)]
    [InlineData("input (N x 3 x 8 x 8, bfloat16); expected one image input", (int)DataType.Bfloat16, -1L, 3L, 8L, 8L)]
    [InlineData("input (1 x 3 x 5000 x 8); expected", (int)DataType.Float, 1L, 3L, 5000L, 8L)]
    [InlineData("of type float, float16, double or uint8, with N up to 1024 and sides up to 4096", (int)DataType.Float, 2000L, 3L, 8L, 8L)]
    public void Open_InputThatIsNoPhotoForItsTypeOrSize_SaysWhatIsTaken(string expected, int type, params long[] shape) =>
        Assert.Contains(
            expected,
            Assert.Throws<BadInputException>(() => Backbone.Open(SmallModel.Plain(17, (DataType)type, shape).Save(_folder))).Message
        );

    [Fact]
    public void Open_FileWithoutItsWeights_ListsAFewOfItsInputs()
    {
        var m = SmallModel.Plain();
        foreach (var weights in m.Model.Graph.Initializer.Concat(m.Model.Graph.Initializer.Select(Renamed)).ToList())
            m.Model.Graph.Input.Add(GraphWriter.Declare(weights.Name, DataType.Float, [.. weights.Dims]));
        m.Model.Graph.Initializer.Clear();
        Assert.Contains(" more; expected one image input", Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder))).Message);

        static TensorProto Renamed(TensorProto tensor) => new(tensor) { Name = tensor.Name + "_2" };
    }

    [Theory]
    [InlineData(12, 0, 12, 12)]
    [InlineData(0, 9, 9, 9)]
    [InlineData(0, 0, 224, 224)]
    public void Open_SideThatIsOpenOr0_IsAsLongAsTheOther(int height, int width, int expectedHeight, int expectedWidth)
    {
        // Some exporters write 0 for what is open, for which ONNX Runtime would take empty photos.
        var m = SmallModel.Plain();
        var dims = m.Model.Graph.Input[0].Type.TensorType.Shape.Dim;
        (dims[0], dims[2], dims[3]) = (new() { DimValue = 0 }, new() { DimValue = height }, new() { DimValue = width });
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal((expectedHeight, expectedWidth, false), (backbone.Input.Height, backbone.Input.Width, backbone.Input.SizeIsFixed));
        Assert.Equal(8, backbone.Cut().Outputs[0].Dimension);
    }

    [Fact]
    public void Open_SizeAgainstTheOneSideThatIsFixed_IsRefused()
    {
        var m = SmallModel.Plain(17, DataType.Float, -1, 3, -1, 12);
        Assert.Equal((12, 12), (Backbone.Open(m.Save(_folder), 12).Input.Height, Backbone.Open(m.Save(_folder), 12).Input.Width));
        Assert.Contains(
            "takes photos of any x 12 pixels; size 16 was requested",
            Assert.Throws<UsageException>(() => Backbone.Open(m.Save(_folder), 16)).Message
        );
    }

    [Theory]
    [InlineData("made from no photo")]
    [InlineData("made from another input too")]
    [InlineData("none")]
    public void Cut_NoOutputOfThePhotoAlone_AsksForATensor(string outputs)
    {
        // CLIP with both halves gives similarities alone, which need the text as well.
        var m = SmallModel.Plain();
        var features = m.Model.Graph.Node.First(n => n.OpType == "Flatten").Output[0];
        m.Model.Graph.Output.Clear();
        if (outputs == "made from another input too")
        {
            m.Model.Graph.Input.Add(GraphWriter.Declare("text", DataType.Float, -1, 8));
            m.Output(m.Node("MatMul", features, m.Node("Transpose", "text")), -1, -1);
        }
        else if (outputs == "made from no photo")
        {
            m.Output(m.Weights(1, 2, 2), 2, 2);
        }

        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Contains("choose a tensor with --cut NAME", Assert.Throws<UsageException>(() => backbone.Cut()).Message);
        Assert.Equal(8, backbone.Cut(new CutRequest(features, Pooling.None)).Outputs[0].Dimension);
    }

    [Fact]
    public void Cut_OldOpsetOrNone_NamesTheVersions()
    {
        var m = new SmallModel(6);
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Gemm(m.Body(m.Input), 8, 8))), 8, SmallModel.Classes));
        Assert.Contains(
            "its operators are of opset 6, and this ONNX Runtime takes 7 to",
            Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder)).Cut()).Message
        );
        m.Model.OpsetImport.Clear();
        Assert.Contains(
            "it does not state of which opset its operators are (opset_import), and",
            Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder)).Cut()).Message
        );
    }

    [Theory]
    [InlineData("Gemm", 1)]
    [InlineData("Conv", 1)]
    [InlineData("BatchNormalization", 2)]
    public void Cut_LayerWithoutItsWeights_SaysSo(string op, int inputs)
    {
        var m = new SmallModel();
        var w = m.Weights(1, 3);
        var x = m.Node("BatchNormalization", m.Input, w, w, w, w);
        m.Output(m.Gemm(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(x))), 8, 8), 8, SmallModel.Classes));
        var node = m.Model.Graph.Node.First(n => n.OpType == op);
        while (node.Input.Count > inputs)
            node.Input.RemoveAt(inputs);
        var error = Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder)).Cut());
        Assert.Contains($"input size {inputs} not in range", error.Message);
    }

    [Fact]
    public void Messages_OfOtherLibraries_AreInOurWords()
    {
        // Protobuf speaks of its wire format, ONNX Runtime of its own source files.
        var bytes = SmallModel.Plain().Model.ToByteArray();
        var zero = _folder.Write("zero.onnx", [.. bytes, 0, 0]);
        Assert.Contains("it is damaged: a field", Assert.Throws<BadInputException>(() => Backbone.Open(zero)).Message);
        var latin = _folder.Write("latin.onnx", [.. bytes, 0x12, 1, 0xe9]);
        Assert.Contains("is not UTF-8", Assert.Throws<BadInputException>(() => Backbone.Open(latin)).Message);
        foreach (var damage in (Action<TensorProto>[])[t => t.DataType = 99, t => t.RawData = ByteString.Empty, t => t.DataType = 8])
        {
            var m = SmallModel.Plain();
            damage(m.Model.Graph.Initializer[0]);
            var error = Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder)).Cut()).Message;
            Assert.Contains("ONNX Runtime cannot load it: ", error);
            Assert.DoesNotMatch(@"\.(cc|h):\d|::|ErrorCode|onnxruntime_src|ONNXRuntimeError", error);
        }
    }

    [Theory]
    [InlineData("adaptive:100000x100000", "vectors of 80000000000 values")]
    [InlineData("adaptive:2147483647x2147483647", "vectors of 9223372036854775807 values")]
    [InlineData("adaptive:1x8388609", "vectors of 67108872 values")]
    public void Cut_PoolingBeyondAllMemory_IsRefused(string pooling, string expected)
    {
        var backbone = Backbone.Open(SmallModel.Plain().Save(_folder));
        var error = Assert.Throws<UsageException>(() => backbone.Cut(new CutRequest(CutRequest.Features, Pooling.Parse(pooling))));
        Assert.Contains(expected, error.Message);
    }

    [Fact]
    public void Open_GraphThatDependsOnItself_IsRefused()
    {
        var m = SmallModel.Plain();
        var relu = m.Model.Graph.Node.First(n => n.OpType == "Relu");
        relu.Input[0] = m.Model.Graph.Node.Last(n => n.OpType == "Relu").Output[0];
        Assert.Contains("depends on itself", Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder))).Message);
    }

    [Fact]
    public void Open_TensorFromNowhere_IsRefused()
    {
        var m = SmallModel.Plain();
        m.Model.Graph.Initializer.RemoveAt(0);
        Assert.Contains("takes 'w', which nothing makes", Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder))).Message);
    }

    [Fact]
    public void Cut_OperatorThatIsUnknown_NamesIt()
    {
        var m = new SmallModel();
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Node("Relo", m.Body(m.Input)))), 8, SmallModel.Classes));
        var error = Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder)).Cut());
        Assert.Contains("ONNX Runtime cannot load it", error.Message);
        Assert.Contains("Relo", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Cut_LayersThatDoNotFit_SaysSo()
    {
        var m = new SmallModel();
        m.Output(m.Gemm(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input))), 9, 8), 8, SmallModel.Classes));
        Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder)).Cut());
    }

    [Fact]
    public void Open_TruncatedAnywhere_IsToldInOneLine()
    {
        var bytes = SmallModel.Plain().Model.ToByteArray();
        for (var length = 0; length < bytes.Length; length += Math.Max(1, bytes.Length / 400))
            AssertToldOrFine(bytes[..length], cut: false);
    }

    [Fact]
    public void OpenAndCut_BytesChanged_AreToldInOneLine()
    {
        var bytes = SmallModel.Plain().Model.ToByteArray();
        var random = new Random(20250701);
        for (var round = 0; round < 1500; round++)
        {
            var changed = (byte[])bytes.Clone();
            for (var i = random.Next(1, 4); i > 0; i--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            AssertToldOrFine(changed, cut: round % 10 == 0);
        }
    }

    private void AssertToldOrFine(byte[] bytes, bool cut)
    {
        var file = _folder.Write("m.onnx", bytes);
        try
        {
            var backbone = Backbone.Open(file);
            if (cut)
                backbone.Cut(CutRequest.Default, new("features", Pooling.None));
        }
        catch (TransferException e)
        {
            Assert.DoesNotContain('\n', e.Message);
        }
    }
}
