using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using TransferPipeline.Tests.Backbones;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.Tuning;

/// <summary>The part above a cut computes what the whole network does, for any number of photos.</summary>
public sealed class DividedBackboneTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("last-stage")]
    [InlineData("last-block")]
    [InlineData("/_blocks.3/_swish/Clip_output_0")]
    public void Parts_OfEfficientNet_GiveTheFeatureOfTheWhole(string cut) =>
        AssertDivides(Backbone.Open(SharedData.RequireModel("efficientnet-lite0.onnx")), cut, photos: 3, tolerance: 1e-5);

    /// <summary>The shape of the image, and of a map below the cut, give Reshape its batch.</summary>
    [Fact]
    public void Parts_WithShapesThatPassTheCut_TakeTheBatchFromTheCut()
    {
        var m = new SmallModel();
        var first = m.ConvRelu(m.Input, 3, 6);
        var second = m.ConvRelu(first, 6, 8);
        var third = m.Node("Relu", m.Node("Conv", [second, m.Weights(0.3f, 8, 8, 1, 1)]));
        var pooled = m.Node("GlobalAveragePool", third);
        var batch = m.Node("Gather", m.Node("Shape", m.Input), m.Shape(0));
        // Height of the first map times 8 over 6: the channels, by a detour over a map below the cut.
        var channels = m.Node("Sub", m.Node("Gather", m.Node("Shape", first), m.Shape(2)), m.Shape(-2));
        var feature = m.Node("Reshape", pooled, m.Node("Concat", [batch, channels], ("axis", 0L)));
        m.Output(m.Gemm(feature, 8, SmallModel.Classes));
        var backbone = Backbone.Open(m.Save(_folder));
        var divided = AssertDivides(backbone, second, photos: 5, tolerance: 1e-6);
        Assert.DoesNotContain(divided.Upper.Graph.Node, n => n.Input.Contains(m.Input) || n.Input.Contains(first));
    }

    /// <summary>Levels are whole numbers: a gradient would not go through a cast to bytes and back.</summary>
    [Theory]
    [InlineData("Cast, Transpose")]
    [InlineData("Transpose, Cast")]
    [InlineData("Slice, Transpose, two Casts")]
    public void Make_AllOfANetworkThatTakesBytes_CastsNone(string form)
    {
        var m = new SmallModel(17, "pixels", TensorProto.Types.DataType.Uint8, -1, 12, 12, 3);
        var x = m.Input;
        if (form.StartsWith("Slice", StringComparison.Ordinal))
            x = m.Node("Slice", x, m.Shape(-1), m.Shape(-4), m.Shape(3), m.Shape(-1));
        x = form.StartsWith("Cast", StringComparison.Ordinal) ? Turned(Float(x)) : Float(Turned(x));
        if (form.EndsWith("Casts", StringComparison.Ordinal))
            x = m.Node("Add", x, Float(m.Model.Graph.Node[^1].Input[0]));
        var map = m.Body(m.Node("Div", x, m.Scalar(255)));
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", map)), 8, SmallModel.Classes));
        var divided = AssertDivides(Backbone.Open(m.Save(_folder)), "all", photos: 3, tolerance: 1e-6);
        Assert.DoesNotContain(divided.Upper.Graph.Node, n => n.OpType == "Cast");

        string Float(string tensor) => m.Node("Cast", [tensor], ("to", (long)TensorProto.Types.DataType.Float));
        string Turned(string tensor) => m.Node("Transpose", [tensor], ("perm", new long[] { 0, 3, 1, 2 }));
    }

    [Fact]
    public void Make_AtTheFeature_SaysThatNothingIsAboveIt()
    {
        var m = new SmallModel();
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input))), 8, SmallModel.Classes));
        var backbone = Backbone.Open(m.Save(_folder));
        var error = Assert.Throws<UsageException>(() => DividedBackbone.Make(backbone, backbone.Penultimate!, CutRequest.Default));
        Assert.Contains("transfer train", error.Message, StringComparison.Ordinal);
    }

    /// <summary>An early classifier trains with the other one where its branch is above the cut, and is left out elsewhere.</summary>
    [Fact]
    public void Make_WithAnAuxiliaryClassifier_KeepsItsFeatureAboveTheCut()
    {
        var (model, early, branch) = TunedNetworks.WithAuxiliary();
        var backbone = Backbone.Open(model.Save(_folder));
        foreach (var cut in new[] { "all", early })
        {
            var divided = AssertDivides(backbone, cut, 3, 1e-5);
            Assert.Equal(5, divided.Auxiliary!.Dimension);
            Assert.Contains(divided.Upper.Graph.Node, n => n.Input.Contains(branch));
            Assert.Contains(divided.Auxiliary.Name, divided.Upper.Graph.Output.Select(o => o.Name));
        }

        var above = AssertDivides(backbone, "last-block", 3, 1e-5);
        Assert.NotEqual(early, above.Cut);
        Assert.Null(above.Auxiliary);
        Assert.DoesNotContain(above.Upper.Graph.Node, n => n.Input.Contains(branch));
    }

    /// <summary>A classifier of another number of classes has another task.</summary>
    [Fact]
    public void Make_WithAClassifierOfAnotherTask_LeavesItOut()
    {
        var backbone = Backbone.Open(TunedNetworks.WithAuxiliary(classes: 4).Model.Save(_folder));
        Assert.Null(AssertDivides(backbone, "all", 2, 1e-5).Auxiliary);
    }

    private static DividedBackbone AssertDivides(Backbone backbone, string cut, int photos, double tolerance)
    {
        var divided = DividedBackbone.Make(backbone, cut, CutRequest.Default);
        var pixels = Probe.Pixels(backbone.Input, photos);
        // Where all is trained, the cut's activations are the pixels themselves.
        var activations = divided.TrainsAll ? pixels : SmallModel.RunCut(divided.OpenLower(backbone), pixels, photos);
        Assert.Equal(photos * divided.Input.Values, activations.Length);
        var (feature, shape) = SmallModel.Run(
            ModelSerializer.Serialize(divided.Upper),
            divided.Input.Name,
            divided.Feature,
            activations,
            [photos, .. divided.Input.Shape.Select(d => (long)d)]
        );
        Assert.Equal([photos, divided.Dimension], shape);
        var whole = SmallModel.RunCut(backbone.Cut(), pixels, photos);
        var largest = whole.Max(MathF.Abs);
        Assert.True(largest > 0);
        Assert.All(whole.Zip(feature), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, tolerance * largest));
        return divided;
    }
}
