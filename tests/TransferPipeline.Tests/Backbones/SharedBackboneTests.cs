using TransferPipeline.Backbones;
using TransferPipeline.Images;

namespace TransferPipeline.Tests.Backbones;

/// <summary>The real EfficientNets: float and quantized.</summary>
public sealed class SharedBackboneTests
{
    [Theory]
    [InlineData("efficientnet-lite0.onnx", 224, "463ee61b1d544e43e313bfbb6b79cf1821574acda3dfd7c5dbe3f93dcec147bf")]
    [InlineData("efficientnet-lite2.onnx", 260, "c989095b36a5d22640c850c332842193f0725927c172ef7632e536ba4142d942")]
    [InlineData("efficientnet-lite0-int8.onnx", 224, "19d04a8a190dbff8d64fab4f391b335e3e529919b1a59cb3c139c09a71f7660d")]
    public void Cut_Penultimate_Gives1280Values(string file, int size, string sha256)
    {
        var backbone = Backbone.Open(SharedData.RequireModel(file));
        Assert.Equal(sha256, backbone.Sha256);
        Assert.Equal(new BackboneInput("input", TensorLayout.Nchw, size, size, true, null, "float"), backbone.Input);
        Assert.Equal(1000, backbone.Classes);

        var cut = backbone.Cut();
        var output = Assert.Single(cut.Outputs);
        Assert.Equal(1280, output.Dimension);
        Assert.Null(cut.MaxBatch);
        Assert.Null(cut.BatchMessage);
        // The classifier's 1000 x 1280 weights are gone.
        Assert.True(cut.TotalBytes < new FileInfo(backbone.File).Length - 4_900_000);
    }

    [Fact]
    public void Cut_FeaturesOfLite0_IsTheMapBeforePooling()
    {
        var backbone = Backbone.Open(SharedData.RequireModel("efficientnet-lite0.onnx"));
        var cut = backbone.Cut(
            new("features", Pooling.None),
            new("features", Pooling.Parse("adaptive:3x3")),
            new("features", Pooling.Parse("avg")),
            CutRequest.Default
        );
        Assert.Equal([1280 * 49, 1280 * 9, 1280, 1280], cut.Outputs.Select(o => o.Dimension));
    }
}
