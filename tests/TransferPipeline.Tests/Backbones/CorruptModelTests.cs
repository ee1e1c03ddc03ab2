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
        var file = _folder.At("pipe.onnx");
        using (var make = System.Diagnostics.Process.Start("mkfifo", [file]))
            make.WaitToEnd();
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
        var m = Small();
        m.Model.Graph.Input.Add(GraphWriter.Declare("second", DataType.Float, -1, 3, 8, 8));
        Assert.Contains("second (N x 3 x 8 x 8)", Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder))).Message);
    }

    [Fact]
    public void Open_GraphThatDependsOnItself_IsRefused()
    {
        var m = Small();
        var relu = m.Model.Graph.Node.First(n => n.OpType == "Relu");
        relu.Input[0] = m.Model.Graph.Node.Last(n => n.OpType == "Relu").Output[0];
        Assert.Contains("depends on itself", Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder))).Message);
    }

    [Fact]
    public void Open_TensorFromNowhere_IsRefused()
    {
        var m = Small();
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
        var bytes = Small().Model.ToByteArray();
        for (var length = 0; length < bytes.Length; length += Math.Max(1, bytes.Length / 400))
            AssertToldOrFine(bytes[..length], cut: false);
    }

    [Fact]
    public void OpenAndCut_BytesChanged_AreToldInOneLine()
    {
        var bytes = Small().Model.ToByteArray();
        var random = new Random(20250701);
        for (var round = 0; round < 1500; round++)
        {
            var changed = (byte[])bytes.Clone();
            for (var i = random.Next(1, 4); i > 0; i--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            AssertToldOrFine(changed, cut: round % 10 == 0);
        }
    }

    private static SmallModel Small()
    {
        var m = new SmallModel();
        return m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input))), 8, SmallModel.Classes));
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
