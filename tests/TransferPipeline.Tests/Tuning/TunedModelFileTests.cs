using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using TransferPipeline.Tests.Backbones;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.Tuning;

/// <summary>Writing trained weights into a graph in the place of its own.</summary>
public sealed class TunedModelFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>One initializer that two layers share by Identity, and weights in a Constant node: each gets values of its own.</summary>
    [Fact]
    public void Write_CopiesAndConstants_BecomeInitializersOfTheirOwn()
    {
        var m = new SmallModel();
        var map = m.Body(m.Input);
        var (shared, bias) = (m.Weights(0.3f, 8, 8, 1, 1), m.Weights(0.1f, 8));
        var copy = m.Node("Identity", shared);
        var constant = m.Node("Constant", [], ("value", TensorData.Of("v", m.Random(0.2f, 8), [8])));
        var first = m.Node("Conv", map, shared, bias);
        var second = m.Node("Conv", first, copy, constant);
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", second)), 8, SmallModel.Classes));
        var backbone = Backbone.Open(m.Save(_folder));
        var weights = new Dictionary<string, float[]>
        {
            [shared] = m.Random(0.5f, 64),
            [copy] = m.Random(0.5f, 64),
            [constant] = m.Random(0.5f, 8),
        };
        TunedParameter[] parameters = [new(shared, [8, 8, 1, 1], false), new(copy, [8, 8, 1, 1], false), new(constant, [8], false)];
        var file = _folder.At("tuned.onnx");
        TunedModelFile.Write(file, backbone, parameters, new(weights, [], []), "{}");

        var written = OnnxFile.Read(file).Model;
        var found = written.Graph.Initializer.ToDictionary(t => t.Name);
        Assert.All(weights, w => Assert.Equal(w.Value, TensorData.Floats(found[w.Key])));
        Assert.DoesNotContain(written.Graph.Node, n => n.OpType is "Identity" or "Constant");
        Assert.Equal("{}", written.MetadataProps.Single(p => p.Key == TunedModelFile.MetadataKey).Value);

        // What was not trained is as it was, and so is what the graph computes.
        Assert.Equal(TensorData.Floats(m.Model.Graph.Initializer.First(t => t.Name == bias)), TensorData.Floats(found[bias]));
        Assert.NotEqual(backbone.Sha256, Backbone.Open(file).Sha256);
        var expected = m.Model.Clone();
        Set(expected, shared, weights[shared]);
        var pixels = Probe.Pixels([1, 3, SmallModel.Size, SmallModel.Size]);
        var (before, _) = SmallModel.Run(
            Google.Protobuf.MessageExtensions.ToByteArray(expected),
            m.Input,
            first,
            pixels,
            1,
            3,
            SmallModel.Size,
            SmallModel.Size
        );
        var cut = Backbone.Open(file).Cut(new CutRequest(first, Pooling.None));
        SmallModel.AssertClose(before, SmallModel.RunCut(cut, pixels, 1));
    }

    private static void Set(ModelProto model, string name, float[] values)
    {
        var tensor = model.Graph.Initializer.First(t => t.Name == name);
        model.Graph.Initializer[model.Graph.Initializer.IndexOf(tensor)] = TensorData.Of(name, values, [.. tensor.Dims]);
        model.Graph.Output.Add(
            new ValueInfoProto { Name = model.Graph.Node.First(n => n.OpType == "Conv" && n.Input.Contains(name)).Output[0] }
        );
    }
}
