using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <content>Operators behind a classifier that make no probabilities: evidence, containers, loops.</content>
public sealed partial class HeadFormTests
{
    [Theory]
    [InlineData("score of the best class")]
    [InlineData("evidence by Softplus")]
    [InlineData("optional")]
    [InlineData("sequence")]
    [InlineData("loop that only adds")]
    public void Cut_ContainersAndEvidence_ArePassedOver(string form)
    {
        var m = new SmallModel();
        var feature = m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input)));
        var logits = m.Gemm(feature, 8, SmallModel.Classes);
        var scores = m.Node("Softmax", logits);
        var made = form switch
        {
            "score of the best class" => m.Node("ReduceMax", [scores], ("axes", new long[] { 1 }), ("keepdims", 0L)),
            "evidence by Softplus" => m.Node("Add", m.Node("Softplus", logits), m.Scalar(1)),
            "optional" => m.Node("Optional", scores),
            "sequence" => m.Node("SequenceConstruct", scores, scores),
            _ => Looped(m, scores),
        };
        m.Model.Graph.Output.Add(new ValueInfoProto { Name = made });
        AssertCut(m, feature);
    }

    /// <summary>A loop that runs twice and adds a number to a tensor.</summary>
    private static string Looped(SmallModel m, string tensor)
    {
        var one = m.Scalar(1);
        var body = new GraphProto
        {
            Name = "body",
            Input =
            {
                GraphWriter.Declare("i", DataType.Int64),
                GraphWriter.Declare("go", DataType.Bool),
                GraphWriter.Declare("value", DataType.Float, -1, SmallModel.Classes),
            },
            Node =
            {
                new NodeProto
                {
                    OpType = "Identity",
                    Input = { "go" },
                    Output = { "go_on" },
                },
                new NodeProto
                {
                    OpType = "Add",
                    Input = { "value", one },
                    Output = { "more" },
                },
            },
            Output = { GraphWriter.Declare("go_on", DataType.Bool), GraphWriter.Declare("more", DataType.Float, -1, SmallModel.Classes) },
        };
        var looped = m.Node("Loop", m.Graph.Constant("times", [2L]), True(m), tensor);
        m.Model.Graph.Node[^1]
            .Attribute.Add(
                new AttributeProto
                {
                    Name = "body",
                    G = body,
                    Type = AttributeProto.Types.AttributeType.Graph,
                }
            );
        return looped;
    }
}
