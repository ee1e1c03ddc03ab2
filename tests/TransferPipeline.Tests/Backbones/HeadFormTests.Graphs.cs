using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Backbones;

/// <content>Pieces of the graphs.</content>
public sealed partial class HeadFormTests
{
    private static FunctionProto Function(string name, string[] inputs, string output, NodeProto node, params string[] attributes)
    {
        var function = new FunctionProto
        {
            Name = name,
            Domain = "local",
            Output = { output },
            Node = { node },
        };
        function.Input.AddRange(inputs);
        function.Attribute.AddRange(attributes);
        function.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        function.OpsetImport.Add(new OperatorSetIdProto { Domain = "local", Version = 1 });
        return function;
    }

    private static GraphProto Branch(string name, string output, Func<string, NodeProto> node) =>
        new()
        {
            Name = name,
            Node = { node(output) },
            Output =
            {
                new ValueInfoProto
                {
                    Name = output,
                    Type = new() { TensorType = new() { ElemType = (int)DataType.Float } },
                },
            },
        };

    private static string If(SmallModel m, GraphProto then, GraphProto otherwise)
    {
        var output = m.Node("If", True(m));
        m.Model.Graph.Node[^1]
            .Attribute.Add(
                new AttributeProto
                {
                    Name = "then_branch",
                    G = then,
                    Type = AttributeProto.Types.AttributeType.Graph,
                }
            );
        m.Model.Graph.Node[^1]
            .Attribute.Add(
                new AttributeProto
                {
                    Name = "else_branch",
                    G = otherwise,
                    Type = AttributeProto.Types.AttributeType.Graph,
                }
            );
        return output;
    }

    private static void AssertVectors(SmallModel m, Backbone backbone, string feature)
    {
        var cut = backbone.Cut();
        Assert.Equal((8, null), (cut.Outputs[0].Dimension, cut.MaxBatch));
        var pixels = Probe.Pixels(backbone.Input.Shape(Photos), 5);
        // The feature alone: what follows it need not run here.
        var alone = new ModelProto(m.Model);
        alone.Graph = GraphPruner.Cut(m.Model, new GraphIndex(m.Model.Graph, m.Input), [feature]).Graph;
        alone.Functions.Clear();
        alone.Graph.Output.Add(new ValueInfoProto { Name = feature });
        var expected = SmallModel.Run(alone.ToByteArray(), m.Input, feature, pixels, backbone.Input.Shape(Photos)).Values;
        SmallModel.AssertClose(expected, SmallModel.RunCut(cut, pixels, Photos));
    }

    internal static string True(SmallModel m)
    {
        m.Model.Graph.Initializer.Add(
            new TensorProto
            {
                Name = m.Graph.Unique("true"),
                DataType = (int)DataType.Bool,
                RawData = ByteString.CopyFrom(1),
            }
        );
        return m.Model.Graph.Initializer[^1].Name;
    }
}
