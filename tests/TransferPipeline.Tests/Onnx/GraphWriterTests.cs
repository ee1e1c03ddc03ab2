using Google.Protobuf;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using TransferPipeline.Tests.Backbones;
using DataType = TransferPipeline.Onnx.TensorProto.Types.DataType;

namespace TransferPipeline.Tests.Onnx;

public sealed class GraphWriterTests
{
    [Theory]
    [InlineData(11)]
    [InlineData(13)]
    [InlineData(18)]
    public void Node_AxesInEitherForm_AreValidInEveryOpset(int opset)
    {
        foreach (var op in new[] { "ReduceSum", "ReduceMean", "ReduceMax", "ReduceL2", "Squeeze", "Unsqueeze" })
        {
            foreach (var asInput in new[] { false, true })
            {
                var model = new ModelProto
                {
                    IrVersion = 8,
                    Graph = new GraphProto { Name = "g" },
                };
                model.OpsetImport.Add(new OperatorSetIdProto { Version = opset });
                model.Graph.Input.Add(GraphWriter.Declare("x", DataType.Float, -1, 1, 3));
                var graph = new GraphWriter(model);
                var result = asInput
                    ? graph.Node(op, ["x", graph.Constant("axes", [1L], 1)])
                    : graph.Node(op, ["x"], ("axes", new long[] { 1 }));
                model.Graph.Output.Add(new ValueInfoProto { Name = result });
                var (values, _) = SmallModel.Run(model.ToByteArray(), "x", result, [1, 2, 3, 4, 5, 6], 2, 1, 3);
                Assert.Equal([1, 2, 3, 4, 5, 6], values);
            }
        }
    }

    [Fact]
    public void Constant_SameHintTwice_GetsTwoNames()
    {
        var graph = new GraphWriter(new ModelProto { Graph = new GraphProto() });
        Assert.NotEqual(graph.Constant("w", [1f], 1), graph.Constant("w", [2f], 1));
    }

    [Fact]
    public void Nodes_OtherDomain_IsImportedOnce()
    {
        var model = new ModelProto { Graph = new GraphProto() };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        var graph = new GraphWriter(model);
        var first = graph.Nodes(
            "TreeEnsembleClassifier",
            "ai.onnx.ml",
            2,
            ["x"],
            ("post_transform", "NONE"),
            ("classlabels_int64s", new long[] { 0, 1 })
        );
        graph.Nodes("Scaler", "ai.onnx.ml", 1, [first[1]], ("offset", new[] { 0.5f }));
        Assert.Equal([("", 17), ("ai.onnx.ml", 3)], model.OpsetImport.Select(o => (o.Domain, (int)o.Version)));
    }

    [Fact]
    public void Node_AttributeOfAnotherType_IsABug() =>
        Assert.Throws<ArgumentException>(() =>
            new GraphWriter(new ModelProto { Graph = new GraphProto() }).Node("Op", ["x"], ("a", DateTime.UnixEpoch))
        );

    [Fact]
    public void Parse_UnknownFields_SurviveReadEditWrite()
    {
        var m = new SmallModel();
        m.Output(m.Gemm(m.Node("Flatten", m.Node("GlobalAveragePool", m.Body(m.Input))), 8, SmallModel.Classes));
        // Field 20 of ModelProto is `training_info`, which the program's own schema leaves out.
        byte[] unknown = [0xa2, 0x01, 0x02, 0x0a, 0x00];
        using var folder = new TempFolder();
        var file = folder.Write("m.onnx", [.. m.Model.ToByteArray(), .. unknown]);
        var model = OnnxFile.Read(file).Model;
        Assert.True(ModelSerializer.Serialize(model).AsSpan().IndexOf(unknown) >= 0);
        Assert.Equal(8, Backbone.Open(file).Cut().Outputs[0].Dimension);
    }

    [Fact]
    public void Serialize_ModelReadWithoutItsWeights_GivesTheSameModel()
    {
        using var folder = new TempFolder();
        var m = new SmallModel();
        var hidden = m.Gemm(m.Node("Flatten", m.Body(m.Input)), 72, 500);
        m.Output(m.Gemm(hidden, 500, SmallModel.Classes));
        var file = m.Save(folder);
        var model = OnnxFile.Read(file).Model;
        Assert.Contains(model.Graph.Initializer, i => i.DataLocation == TensorProto.Types.DataLocation.External);
        Assert.Equal(m.Model, ModelProto.Parser.ParseFrom(ModelSerializer.Serialize(model)));
    }
}
