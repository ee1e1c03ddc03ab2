using TransferPipeline.Backbones;
using TransferPipeline.Quantization;
using TransferPipeline.Tests.Backbones;

namespace TransferPipeline.Tests.Quantization;

/// <summary>What is seen of a tensor, by its channels.</summary>
public sealed class TensorStatisticsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Channels_OfThreeAxes_AreTheLastOrTheMiddleOne()
    {
        float[] values = [1, 2, 3, 4, 5, 6];
        Assert.Equal([2.5f, 3.5f, 4.5f], PhotoStatistics.Of(values, [1, 2, 3]).Means);
        Assert.Equal([2f, 5f], PhotoStatistics.Of(values, [1, 2, 3], channelsFirst: true).Means);
        Assert.Equal([3f, 6f], PhotoStatistics.Of(values, [1, 2, 3], channelsFirst: true).Magnitudes);
    }

    /// <summary>As ECA's gate: channels of a pooled map on one line, under a convolution over one axis.</summary>
    [Fact]
    public void Observer_TakesTheInputOfAConvolutionOverOneAxisForChannelsFirst()
    {
        var m = new SmallModel();
        var map = m.Body(m.Input);
        var line = m.Node("Reshape", map, m.Shape(0, 8, -1));
        var made = m.Node("Relu", m.Node("Conv", line, m.Weights(0.3f, 6, 8, 3), m.Weights(0.1f, 6)));
        m.Output(m.Gemm(m.Node("Flatten", made), 42, SmallModel.Classes));
        var network = FloatNetwork.Prepare(m.Save(_folder), new PhotoSize(0, 0), "");
        var tensors = new QuantizationPlan(network, new HashSet<string>()).Tensors;
        using var observer = new RangeObserver(network, tensors, 1);
        var seen = observer.Observe(SmallNetworks.Photos(3), histograms: false, TestContext.Current.CancellationToken);
        var conv = network.Model.Graph.Node.Single(n => n.OpType == "Conv" && network.Index.Constant(n.Input[1])!.Dims.Count == 3);
        Assert.Equal(8, seen[conv.Input[0]].Channels);
    }
}
