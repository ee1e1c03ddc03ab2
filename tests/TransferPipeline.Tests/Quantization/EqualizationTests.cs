using TransferPipeline.Onnx;
using TransferPipeline.Quantization;

namespace TransferPipeline.Tests.Quantization;

/// <summary>Equalization changes weights and not what the network computes.</summary>
public sealed class EqualizationTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("depthwise")]
    [InlineData("add-relu")]
    [InlineData("add-broadcast")]
    [InlineData("conv-clip")]
    [InlineData("max-pool")]
    [InlineData("concat")]
    public void Equalization_KeepsTheVectors_AndEvensTheChannels(string pattern)
    {
        var network = SmallNetworks.Prepare(_folder, SmallNetworks.Make(pattern));
        var tensors = new QuantizationPlan(network, new HashSet<string>()).Tensors;
        var photos = SmallNetworks.Photos(12);
        Dictionary<string, TensorStatistics> Observe(FloatNetwork observed)
        {
            using var observer = new RangeObserver(observed, tensors, 2);
            return observer.Observe(photos, histograms: false, default);
        }

        var before = Observe(network);
        var equalized = Equalization.Apply(network, before, 0.5);
        Assert.NotNull(equalized);
        Assert.Contains(
            equalized.Model.Graph.Initializer.Zip(network.Model.Graph.Initializer),
            pair => !pair.First.RawData.Equals(pair.Second.RawData)
        );
        var pixels = new float[3 * SmallNetworks.Side * SmallNetworks.Side];
        var read = photos.CreateReader();
        for (var photo = 0; photo < 12; photo++)
        {
            read(photo, pixels);
            int[] shape = [1, 3, SmallNetworks.Side, SmallNetworks.Side];
            var (a, b) = (
                ReferenceNetwork.Run(network.Model, pixels, shape, network.Feature).Values,
                ReferenceNetwork.Run(equalized.Model, pixels, shape, network.Feature).Values
            );
            Assert.All(a.Zip(b), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        }
    }

    /// <summary>The map that is the feature keeps its scale, as heads were trained on it.</summary>
    [Fact]
    public void Groups_EndBeforeTheFeature()
    {
        var network = SmallNetworks.Prepare(_folder, SmallNetworks.Make("conv-relu"));
        var groups = ChannelGroups.Find(network);
        Assert.Equal(2, groups.Count);
        Assert.DoesNotContain(groups.SelectMany(g => g.Tensors), t => t == network.Feature);
        Assert.All(groups, g => Assert.Single(g.Consumers));
    }
}
