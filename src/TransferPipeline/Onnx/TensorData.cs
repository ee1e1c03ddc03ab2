using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;

namespace TransferPipeline.Onnx;

/// <summary>Reads the values of a TensorProto wherever they are: typed fields, raw data, or another file.</summary>
internal static class TensorData
{
    /// <summary>All tensors with data: initializers and the values of Constant nodes and the like, subgraphs included.</summary>
    public static IEnumerable<TensorProto> All(GraphProto graph)
    {
        foreach (var tensor in graph.Initializer)
            yield return tensor;
        foreach (var attribute in graph.Node.SelectMany(n => n.Attribute))
        {
            if (attribute.T is { } value)
                yield return value;
            foreach (var subgraph in attribute.Graphs.Concat(attribute.G is { } g ? [g] : []))
            {
                foreach (var tensor in All(subgraph))
                    yield return tensor;
            }
        }
    }

    /// <summary>Where external data are; a length of -1 means that none is stated.</summary>
    /// <exception cref="FormatException">A number is none.</exception>
    public static (string File, long Offset, long Length) Location(TensorProto tensor)
    {
        var entries = new Dictionary<string, string>(StringComparer.Ordinal);
        // Of keys that are given twice the last counts, as for the onnx package and ONNX Runtime.
        foreach (var entry in tensor.ExternalData)
            entries[entry.Key] = entry.Value;
        return (entries.GetValueOrDefault("location", ""), Number("offset", 0), Number("length", -1));

        long Number(string key, long absent) =>
            !entries.TryGetValue(key, out var text) ? absent
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw new FormatException($"tensor '{tensor.Name}' has external data with {key} '{text}', expected a whole number");
    }

    public static void SetLocation(TensorProto tensor, string file, long offset, long length)
    {
        tensor.ExternalData.Clear();
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = file });
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = offset.ToString(CultureInfo.InvariantCulture) });
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = length.ToString(CultureInfo.InvariantCulture) });
        tensor.DataLocation = TensorProto.Types.DataLocation.External;
    }

    /// <summary>The tensor with its data in it: itself, or a copy when they were in a file.</summary>
    public static TensorProto Inline(TensorProto tensor)
    {
        if (tensor.DataLocation != TensorProto.Types.DataLocation.External)
            return tensor;
        var inline = tensor.Clone();
        inline.ExternalData.Clear();
        inline.DataLocation = TensorProto.Types.DataLocation.Default;
        // No copy: the array was made here and nobody else holds it.
        inline.RawData = UnsafeByteOperations.UnsafeWrap(ReadExternal(tensor));
        return inline;
    }

    public static long Count(TensorProto tensor) => tensor.Dims.Aggregate(1L, (product, d) => product * d);

    /// <summary>Bytes of the values in raw form, from type and shape; null for texts and for types that are not known here.</summary>
    /// <exception cref="OverflowException">An axis is negative, or the sizes of the axes multiply to more than any file holds.</exception>
    public static long? Bytes(TensorProto tensor)
    {
        // Numbers of onnx.proto's DataType; types of less than a byte are packed, and the last byte may be partly used.
        var bits = tensor.DataType switch
        {
            1 or 6 or 12 => 32,
            2 or 3 or 9 or (>= 17 and <= 20) or 24 => 8,
            4 or 5 or 10 or 16 => 16,
            7 or 11 or 13 or 14 => 64,
            15 => 128,
            >= 21 and <= 23 => 4,
            _ => 0,
        };
        var count = tensor.Dims.Aggregate(1L, (product, d) => checked(product * (long)checked((ulong)d)));
        return bits == 0 ? null : checked(count * bits + 7) / 8;
    }

    /// <summary>The values of an int64 or int32 tensor.</summary>
    public static long[] Int64s(TensorProto tensor) =>
        (TensorProto.Types.DataType)tensor.DataType switch
        {
            // Values stand in the typed field or in raw_data, never in both. Raw data are little-endian, as x64 and Arm are.
            TensorProto.Types.DataType.Int64 => tensor.Int64Data.Count > 0
                ? [.. tensor.Int64Data]
                : MemoryMarshal.Cast<byte, long>(Raw(tensor)).ToArray(),
            TensorProto.Types.DataType.Int32 => tensor.Int32Data.Count > 0
                ? [.. tensor.Int32Data.Select(v => (long)v)]
                : [.. MemoryMarshal.Cast<byte, int>(Raw(tensor)).ToArray().Select(v => (long)v)],
            _ => [],
        };

    /// <summary>The values of an int8 tensor.</summary>
    public static sbyte[] Int8s(TensorProto tensor) =>
        tensor.Int32Data.Count > 0 ? [.. tensor.Int32Data.Select(v => (sbyte)v)] : MemoryMarshal.Cast<byte, sbyte>(Raw(tensor)).ToArray();

    /// <summary>The values of a float32 tensor.</summary>
    public static float[] Floats(TensorProto tensor) =>
        tensor.FloatData.Count > 0 ? [.. tensor.FloatData] : MemoryMarshal.Cast<byte, float>(Raw(tensor)).ToArray();

    /// <summary>The values of a tensor of any numeric type; empty for others.</summary>
    public static double[] Numbers(TensorProto tensor) =>
        (TensorProto.Types.DataType)tensor.DataType switch
        {
            TensorProto.Types.DataType.Float => Array.ConvertAll(Floats(tensor), v => (double)v),
            TensorProto.Types.DataType.Double => tensor.DoubleData.Count > 0
                ? [.. tensor.DoubleData]
                : MemoryMarshal.Cast<byte, double>(Raw(tensor)).ToArray(),
            // int32_data holds float16 as bits, uint8 and bool as numbers (onnx.proto, TensorProto).
            TensorProto.Types.DataType.Float16 => tensor.Int32Data.Count > 0
                ? [.. tensor.Int32Data.Select(v => (double)BitConverter.UInt16BitsToHalf((ushort)v))]
                : Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(Raw(tensor)).ToArray(), v => (double)v),
            TensorProto.Types.DataType.Int64 or TensorProto.Types.DataType.Int32 => Array.ConvertAll(Int64s(tensor), v => (double)v),
            TensorProto.Types.DataType.Uint8 or TensorProto.Types.DataType.Bool => tensor.Int32Data.Count > 0
                ? [.. tensor.Int32Data.Select(v => (double)v)]
                : Array.ConvertAll(Raw(tensor).ToArray(), v => (double)v),
            _ => [],
        };

    /// <summary>A new float16 tensor.</summary>
    public static TensorProto Of(string name, ReadOnlySpan<Half> values, ReadOnlySpan<long> dims) =>
        Of(name, TensorProto.Types.DataType.Float16, MemoryMarshal.AsBytes(values), dims);

    /// <summary>A new int64 tensor.</summary>
    public static TensorProto Of(string name, ReadOnlySpan<long> values, ReadOnlySpan<long> dims) =>
        Of(name, TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes(values), dims);

    /// <summary>A new float32 tensor.</summary>
    public static TensorProto Of(string name, ReadOnlySpan<float> values, ReadOnlySpan<long> dims) =>
        Of(name, TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes(values), dims);

    /// <summary>A new uint8 tensor.</summary>
    public static TensorProto Of(string name, ReadOnlySpan<byte> values, ReadOnlySpan<long> dims) =>
        Of(name, TensorProto.Types.DataType.Uint8, values, dims);

    /// <summary>A new int8 tensor.</summary>
    public static TensorProto Of(string name, ReadOnlySpan<sbyte> values, ReadOnlySpan<long> dims) =>
        Of(name, TensorProto.Types.DataType.Int8, MemoryMarshal.AsBytes(values), dims);

    /// <summary>A new int32 tensor.</summary>
    public static TensorProto Of(string name, ReadOnlySpan<int> values, ReadOnlySpan<long> dims) =>
        Of(name, TensorProto.Types.DataType.Int32, MemoryMarshal.AsBytes(values), dims);

    private static TensorProto Of(string name, TensorProto.Types.DataType type, ReadOnlySpan<byte> raw, ReadOnlySpan<long> dims)
    {
        var tensor = new TensorProto
        {
            Name = name,
            DataType = (int)type,
            RawData = ByteString.CopyFrom(raw),
        };
        foreach (var d in dims)
            tensor.Dims.Add(d);
        return tensor;
    }

    private static ReadOnlySpan<byte> Raw(TensorProto tensor) =>
        tensor.DataLocation == TensorProto.Types.DataLocation.External ? ReadExternal(tensor) : tensor.RawData.Span;

    /// <summary>Copies data that are in a file, a buffer at a time.</summary>
    /// <exception cref="BadInputException">The file is gone or ends too early.</exception>
    public static void CopyExternal(TensorProto tensor, Stream to, byte[] buffer)
    {
        var (file, offset, length) = Location(tensor);
        if (!File.Exists(file))
            Throw.BadInput($"{file}: gone, but tensor '{tensor.Name}' is in it; put it back and run again");
        using var handle = File.OpenHandle(file);
        // RandomAccess.Read may return less than was requested, also before the end of the file.
        for (var done = 0L; done < length; )
        {
            var read = RandomAccess.Read(handle, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - done)), offset + done);
            if (read == 0)
                Throw.BadInput(
                    $"{file}: ends before byte {offset + length}, where tensor '{tensor.Name}' ends; the file changed while it was used"
                );
            to.Write(buffer, 0, read);
            done += read;
        }
    }

    private static byte[] ReadExternal(TensorProto tensor)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(checked((int)Location(tensor).Length));
        using var stream = new MemoryStream(bytes);
        CopyExternal(tensor, stream, new byte[Math.Clamp(bytes.Length, 1, 1 << 20)]);
        return bytes;
    }
}
