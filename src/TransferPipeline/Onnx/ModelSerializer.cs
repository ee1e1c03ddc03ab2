using Google.Protobuf;

namespace TransferPipeline.Onnx;

/// <summary>
/// Serializes a model whose weights are still in files. Each weight goes straight to its place in the result, so that a model of half a
/// gigabyte takes half a gigabyte in memory, and next to nothing on its way to a file: protobuf's own way would hold it twice.
/// </summary>
internal static class ModelSerializer
{
    /// <summary>A protobuf message is limited to 2 GB; some is left for everything but weights.</summary>
    private const long MaxBytes = int.MaxValue - (64 << 20);

    /// <summary>Bytes of a weight that are read at a time.</summary>
    private const int Step = 1 << 20;

    private static readonly uint ModelGraph = WireFormat.MakeTag(ModelProto.GraphFieldNumber, WireFormat.WireType.LengthDelimited);
    private static readonly uint GraphInitializer = WireFormat.MakeTag(
        GraphProto.InitializerFieldNumber,
        WireFormat.WireType.LengthDelimited
    );
    private static readonly uint TensorRawData = WireFormat.MakeTag(TensorProto.RawDataFieldNumber, WireFormat.WireType.LengthDelimited);

    /// <exception cref="BadInputException">The weights are more than fits into one protobuf message, or their file is gone or
    /// changed.</exception>
    public static byte[] Serialize(ModelProto model)
    {
        var parts = Parts.Of(model);
        var result = GC.AllocateUninitializedArray<byte>(checked((int)parts.Length));
        using var stream = new MemoryStream(result);
        parts.Write(stream);
        return result;
    }

    /// <inheritdoc cref="Serialize"/>
    public static void Write(ModelProto model, Stream to) => Parts.Of(model).Write(to);

    private static void Header(Stream to, uint tag, long length)
    {
        Varint(to, tag);
        Varint(to, (ulong)length);
    }

    /// <summary>Writes a number in base 128, the lowest group first; the highest bit states that more follow.</summary>
    public static void Varint(Stream to, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            to.WriteByte((byte)(value | 0x80));
        to.WriteByte((byte)value);
    }

    /// <summary>Bytes of a field with tag and length.</summary>
    private static long Size(uint tag, long length) =>
        CodedOutputStream.ComputeUInt32Size(tag) + CodedOutputStream.ComputeUInt64Size((ulong)length) + length;

    /// <summary>
    /// A model in the order of writing. Fields of a message may come in any order: everything but the initializers first.
    /// </summary>
    private sealed record Parts(byte[] Head, byte[] Graph, IReadOnlyList<Weight> Weights)
    {
        private long GraphLength => Graph.Length + Weights.Sum(w => Size(GraphInitializer, w.Length));

        public long Length => Head.Length + Size(ModelGraph, GraphLength);

        public static Parts Of(ModelProto model)
        {
            var weights = model.Graph.Initializer.Select(Weight.Of).ToList();
            var bytes = weights.Sum(w => w.Bytes);
            if (bytes > MaxBytes)
                Throw.BadInput(
                    FormattableString.Invariant(
                        $"the part of the model up to the cut holds {bytes / 1e9:0.0} GB of weights; at most 2 GB fit into one ONNX file"
                    )
                );
            // ToByteArray writes no field of a null graph; the graph follows as a field of its own.
            var shell = GraphPruner.Shell(model);
            shell.Graph = null;
            return new(shell.ToByteArray(), GraphPruner.WithoutInitializers(model.Graph).ToByteArray(), weights);
        }

        public void Write(Stream to)
        {
            // 1. All fields of the model but the graph.
            to.Write(Head);
            // 2. The graph's header, with a length that is known before any weight is read, and its fields but the initializers.
            Header(to, ModelGraph, GraphLength);
            to.Write(Graph);
            // 3. Each initializer: its fields but the data, then the data as the last field, copied through one buffer.
            var buffer = new byte[Step];
            foreach (var weight in Weights)
            {
                Header(to, GraphInitializer, weight.Length);
                to.Write(weight.Head);
                if (weight.Bytes == 0)
                    continue;
                Header(to, TensorRawData, weight.Bytes);
                TensorData.CopyExternal(weight.Tensor, to, buffer);
            }
        }
    }

    /// <param name="Head">The tensor without its data.</param>
    /// <param name="Bytes">Of data that are still in a file.</param>
    private sealed record Weight(TensorProto Tensor, byte[] Head, long Bytes)
    {
        public long Length => Head.Length + (Bytes == 0 ? 0 : Size(TensorRawData, Bytes));

        public static Weight Of(TensorProto tensor)
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
