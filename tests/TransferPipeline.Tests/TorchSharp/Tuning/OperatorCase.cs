using TransferPipeline.Onnx;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.TorchSharp.Tuning;

/// <summary>A small graph around one operator: the cut's tensor times a square matrix of weights, the operator, flattened.</summary>
/// <param name="Shape">For one photo.</param>
/// <param name="Build">Takes the product, gives the operator's result.</param>
/// <param name="HasDerivative">False for steps, whose derivative is 0 and whose differences are not.</param>
internal sealed record OperatorCase(int Opset, int[] Shape, Func<GraphWriter, string, string> Build, bool HasDerivative = true)
{
    private const int Classes = 3;

    public const int Photos = 4;

    /// <summary>The graph with an output, as ONNX Runtime wants it, and with a head that is not zero.</summary>
    public TunedGraph Create()
    {
        var model = new ModelProto
        {
            IrVersion = 8,
            Graph = new GraphProto { Name = "case" },
        };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = Opset });
        model.Graph.Input.Add(Declare("cut", [-1, .. Shape]));
        var writer = new GraphWriter(model);
        var side = Shape[^1];
        var weights = writer.Constant("weights", Values(side * side, 7), side, side);
        var made = Build(writer, writer.Node("MatMul", ["cut", weights]));
        writer.Graph.Node.Add(
            new NodeProto
            {
                OpType = "Flatten",
                Input = { made },
                Output = { "feature" },
            }
        );
        model.Graph.Output.Add(Declare("feature", [-1, -1]));
        var dimension = Dimension(model);
        return new()
        {
            Model = model,
            Inputs = [new("cut", Shape)],
            Head = new("feature", dimension, Values(Classes * dimension, 9), Values(Classes, 11)),
        };
    }

    public TunedBatch Batch() => new([Values(Photos * Shape.Aggregate(1, (a, b) => a * b), 13)], new[] { 0, 2, 1, 2 });

    /// <summary>Numbers of a fixed stream, about normal.</summary>
    public static float[] Values(int count, long part)
    {
        var random = RandomStream.OfPart(3, part);
        return [.. Enumerable.Range(0, count).Select(i => (float)random.NormalAt((ulong)i))];
    }

    private int Dimension(ModelProto model) =>
        OnnxSession.Run(model, "cut", Values(Shape.Aggregate(1, (a, b) => a * b), 13), [1, .. Shape]).Length;

    private static ValueInfoProto Declare(string name, int[] shape)
    {
        var type = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = new() };
        foreach (var d in shape)
        {
            var length = new TensorShapeProto.Types.Dimension();
            if (d < 0)
                length.DimParam = $"N{type.Shape.Dim.Count}";
            else
                length.DimValue = d;
            type.Shape.Dim.Add(length);
        }

        return new ValueInfoProto
        {
            Name = name,
            Type = new() { TensorType = type },
        };
    }
}
