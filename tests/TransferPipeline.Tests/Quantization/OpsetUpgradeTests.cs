using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using TransferPipeline.Quantization;
using TransferPipeline.Tests.Backbones;

namespace TransferPipeline.Tests.Quantization;

/// <summary>Graphs of old opsets brought to the one that int8 needs compute what they did.</summary>
public sealed class OpsetUpgradeTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// Before opset 13 Softmax took all axes from the given one on for one; only -1 and the last axis mean the same
    /// today.
    /// </summary>
    [Theory]
    [InlineData("Softmax", 11, 1L)]
    [InlineData("Softmax", 11, 2L)]
    [InlineData("Softmax", 11, -2L)]
    [InlineData("Softmax", 9, 2L)]
    [InlineData("Softmax", 12, 3L)]
    [InlineData("Softmax", 12, -1L)]
    [InlineData("Softmax", 11, null)]
    [InlineData("LogSoftmax", 11, 1L)]
    public void Softmax_OfAMap_KeepsItsMeaning(string op, int opset, long? axis)
    {
        var m = new SmallModel(opset);
        var map = m.Body(m.Input);
        var soft = m.Node(op, [map], axis is { } value ? [("axis", value)] : []);
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Node("Mul", soft, map))), 8, SmallModel.Classes));
        AssertSame(m, op, isRewritten: axis is not (3 or -1));
    }

    /// <summary>The scores of a classifier and of a convolution that was pooled: nothing is to be rewritten.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Softmax_OverScores_StaysOneNode(bool isPooled)
    {
        var m = new SmallModel(11);
        var pooled = m.Node("GlobalAveragePool", m.Body(m.Input));
        var scores = isPooled
            ? m.Node("Conv", pooled, m.Weights(0.5f, SmallModel.Classes, 8, 1, 1))
            : m.Gemm(m.Node("Flatten", pooled), 8, SmallModel.Classes);
        m.Output(m.Node("Softmax", [scores], ("axis", 1L)), isPooled ? [-1, SmallModel.Classes, 1, 1] : [-1, SmallModel.Classes]);
        AssertSame(m, "Softmax", isRewritten: false);
    }

    private void AssertSame(SmallModel m, string op, bool isRewritten)
    {
        var network = FloatNetwork.Prepare(m.Save(_folder), new PhotoSize(0, 0), "");
        Assert.Equal(OpsetUpgrade.Target, (int)network.Model.OpsetImport.Single(o => o.Domain.Length == 0).Version);
        Assert.Equal(isRewritten, network.Model.Graph.Node.Any(n => n.OpType == "Reshape"));
        Assert.Single(network.Model.Graph.Node, n => n.OpType == op);
        var (pixels, output) = (Probe.Pixels([2, 3, SmallModel.Size, SmallModel.Size]), m.Model.Graph.Output[0].Name);
        long[] shape = [2, 3, SmallModel.Size, SmallModel.Size];
        var (expected, _) = SmallModel.Run(m.Model.ToByteArray(), m.Input, output, pixels, shape);
        var (actual, _) = SmallModel.Run(network.ToBytes(), m.Input, output, pixels, shape);
        SmallModel.AssertClose(expected, actual);
    }
}
