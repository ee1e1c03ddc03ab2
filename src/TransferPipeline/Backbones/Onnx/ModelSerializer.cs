using Google.Protobuf;

namespace TransferPipeline.Backbones.Onnx;

/// <summary>
/// Serializes a model whose weights are still in files. Each weight is read straight into its place in the result, so that a model of
/// half a gigabyte takes half a gigabyte: protobuf's own way would hold it twice.
/// </summary>
internal static class ModelSerializer
{
    /// <summary>A protobuf message is limited to 2 GB; some is left for everything but weights.</summary>
    private const long MaxBytes = int.MaxValue - (64 << 20);

    private static readonly uint ModelGraph = WireFormat.MakeTag(ModelProto.GraphFieldNumber, WireFormat.WireType.LengthDelimited);
    private static readonly uint GraphInitializer = WireFormat.MakeTag(GraphProto.InitializerFieldNumber, WireFormat.WireType.LengthDelimited);
    private static readonly uint TensorRawData = WireFormat.MakeTag(TensorProto.RawDataFieldNumber, WireFormat.WireType.LengthDelimited);

    /// <exception cref="BadInputException">The weights are more than fits into one protobuf message.</exception>
    public static byte[] Serialize(ModelProto model)
    {
        var parts = model.Graph.Initializer.Select(Part.Of).ToList();
        var bytes = parts.Sum(p => p.Weights);
        if (bytes > MaxBytes)
            Throw.BadInput(FormattableString.Invariant($"the part of the model up to the cut holds {bytes / 1e9:0.0} GB of weights; at most 2 GB can be used"));

        // Fields of a message may come in any order: everything but the initializers first.
        var graph = GraphPruner.WithoutInitializers(model.Graph).ToByteArray();
        var shell = GraphPruner.Shell(model);
        shell.Graph = null;
        var head = shell.ToByteArray();
        var graphLength = graph.Length + parts.Sum(p => Size(GraphInitializer, p.Length));
        var result = GC.AllocateUninitializedArray<byte>(checked((int)(head.Length + Size(ModelGraph, graphLength))));
        var position = Append(result, 0, head);
        position = Header(result, position, ModelGraph, graphLength);
        position = Append(result, position, graph);
        foreach (var part in parts)
        {
            position = Header(result, position, GraphInitializer, part.Length);
            position = Append(result, position, part.Head);
            if (part.Weights == 0)
                continue;
            position = Header(result, position, TensorRawData, part.Weights);
            TensorData.ReadExternal(part.Tensor, result.AsSpan(position, (int)part.Weights));
            position += (int)part.Weights;
        }

        return result;
    }

    private static int Append(byte[] to, int position, byte[] bytes)
    {
        bytes.CopyTo(to, position);
        return position + bytes.Length;
    }

    private static int Header(byte[] to, int position, uint tag, long length)
    {
        for (var value = tag; ; value >>= 7)
        {
            to[position++] = (byte)(value < 0x80 ? value : value | 0x80);
            if (value < 0x80)
                break;
        }

        for (var value = (ulong)length; ; value >>= 7)
        {
            to[position++] = (byte)(value < 0x80 ? value : value | 0x80);
            if (value < 0x80)
                return position;
        }
    }

    /// <summary>Bytes of a field with tag and length.</summary>
    private static long Size(uint tag, long length) => CodedOutputStream.ComputeUInt32Size(tag) + CodedOutputStream.ComputeUInt64Size((ulong)length) + length;

    /// <param name="Head">The tensor without its weights.</param>
    /// <param name="Weights">Bytes that are still in a file.</param>
    private sealed record Part(TensorProto Tensor, byte[] Head, long Weights)
    {
        public long Length => Head.Length + (Weights == 0 ? 0 : Size(TensorRawData, Weights));

        public static Part Of(TensorProto tensor)
        {
            if (tensor.DataLocation != TensorProto.Types.DataLocation.External)
                return new(tensor, tensor.ToByteArray(), 0);
            var head = tensor.Clone();
            head.ExternalData.Clear();
            head.DataLocation = TensorProto.Types.DataLocation.Default;
            return new(tensor, head.ToByteArray(), TensorData.Location(tensor).Length);
        }
    }
}
