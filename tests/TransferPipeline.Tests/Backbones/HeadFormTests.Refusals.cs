using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <content>What is refused, and what the user has to state.</content>
public sealed partial class HeadFormTests
{
    [Fact]
    public void Cut_HeadsOfTwoFeatures_AsksWhich()
    {
        var m = new SmallModel();
        var (a, b) = (
            m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input))),
            m.Node("Flatten", m.Node("GlobalMaxPool", m.Body(m.Input)))
        );
        m.Output(m.Node("Softmax", m.Node("Mean", m.Gemm(a, 8, 7), m.Gemm(b, 8, 7))));
        var backbone = Backbone.Open(m.Save(_folder));
        var error = Assert.Throws<UsageException>(() => backbone.Cut());
        Assert.Contains($"several heads, each with a feature of its own, make '{m.Model.Graph.Output[0].Name}'", error.Message);
        Assert.Contains($"'{a}' (1 x 8), '{b}' (1 x 8)", error.Message);
        Assert.Equal(8, backbone.Cut(new CutRequest(b, Pooling.None)).Outputs[0].Dimension);
    }

    [Fact]
    public void FeatureNote_ClassifiersOfOtherFeatures_NamesTheDeepest()
    {
        var m = new SmallModel();
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        var (breed, age) = (m.Gemm(feature, 8, 7), m.Gemm(m.Node("Relu", m.Gemm(feature, 8, 6)), 6, 3));
        m.Output(breed, -1, 7).Output(age, -1, 3);
        var backbone = Backbone.Open(m.Save(_folder));
        Assert.Equal(6, backbone.Cut().Outputs[0].Dimension);
        Assert.Equal(
            $"model.onnx: the feature is that of its deepest classifier, '{age}'; of others, for --cut: '{feature}' ('{breed}')",
            backbone.FeatureNote(CutRequest.Default)
        );
        Assert.Null(Backbone.Open(SmallModel.Plain().Save(_folder)).FeatureNote(CutRequest.Default));
    }

    [Fact]
    public void Cut_OutputsAsDeepOfTwoFeatures_AsksWhich()
    {
        var m = new SmallModel();
        var tokens = m.Node("Transpose", [m.Node("Reshape", m.Body(m.Input), m.Shape(0, 8, 9))], ("perm", new long[] { 0, 2, 1 }));
        var (a, b) = (Token(0), Token(1));
        m.Output(m.Gemm(a, 8, 7)).Output(m.Gemm(b, 8, 7));
        var backbone = Backbone.Open(m.Save(_folder));
        var error = Assert.Throws<UsageException>(() => backbone.Cut());
        Assert.Contains(
            $"make '{m.Model.Graph.Output[0].Name}' and '{m.Model.Graph.Output[1].Name}'; choose the feature with --cut NAME: "
                + $"'{a}' (1 x 8), '{b}' (1 x 8)",
            error.Message
        );
        Assert.Equal(8, backbone.Cut(new CutRequest(b, Pooling.None)).Outputs[0].Dimension);

        string Token(long place) => m.Node("Gather", [tokens, m.Graph.Constant("i", [place])], ("axis", 1L));
    }

    [Fact]
    public void Open_FunctionThatCallsItself_IsRefused()
    {
        var m = new SmallModel();
        m.Model.Functions.Add(
            Function(
                "Loop",
                ["x"],
                "y",
                new NodeProto
                {
                    OpType = "Loop",
                    Domain = "local",
                    Input = { "x" },
                    Output = { "y" },
                }
            )
        );
        m.Output(m.Graph.Nodes("Loop", "local", 1, [m.Input])[0]);
        Assert.Contains("the function 'Loop' calls itself", Assert.Throws<BadInputException>(() => Backbone.Open(m.Save(_folder))).Message);
    }
}
