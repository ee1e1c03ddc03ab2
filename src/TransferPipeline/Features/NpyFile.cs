using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace TransferPipeline.Features;

/// <summary>NumPy arrays in files (format versions 1 to 3; little-endian, row-major).</summary>
internal static partial class NpyFile
{
    private const int PrefixLength = 8;
    private const int Alignment = 64;

    private static readonly byte[] Magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>A two-dimensional float32 array.</summary>
    /// <exception cref="BadInputException">Something else is in the file.</exception>
    public static FeatureMatrix ReadMatrix(string file)
    {
        using var stream = Open(file, "two-dimensional float32", 2, out var type, out var shape);
        if (type != "<f4")
            Throw.BadInput($"{file}: values of type {type}, expected float32 (<f4)");
        if (shape[1] == 0)
            Throw.BadInput($"{file}: vectors without values");
        if ((long)shape[0] * shape[1] > Array.MaxLength)
            Throw.BadInput($"{file}: {shape[0]} x {shape[1]} values, expected at most {Array.MaxLength} in all");
        var matrix = new FeatureMatrix(shape[0], shape[1]);
        Read(stream, file, MemoryMarshal.AsBytes(matrix.Data.AsSpan(0, shape[0] * shape[1])));
        return matrix;
    }

    /// <summary>A one-dimensional int32 or int64 array of class numbers.</summary>
    /// <exception cref="BadInputException">Something else is in the file, or a number is negative.</exception>
    public static int[] ReadLabels(string file)
    {
        using var stream = Open(file, "one-dimensional integer", 1, out var type, out var shape);
        var labels = new int[shape[0]];
        if (type == "<i4")
        {
            Read(stream, file, MemoryMarshal.AsBytes(labels.AsSpan()));
        }
        else if (type == "<i8")
        {
            var wide = new long[shape[0]];
            Read(stream, file, MemoryMarshal.AsBytes(wide.AsSpan()));
            // Clamped, since a cast would make 2^32 the class 0.
            labels = Array.ConvertAll(wide, v => (int)Math.Clamp(v, int.MinValue, int.MaxValue));
        }
        else
        {
            Throw.BadInput($"{file}: values of type {type}, expected int32 or int64");
        }

        var negative = Array.FindIndex(labels, v => v < 0);
        if (labels.Length == 0 || negative >= 0)
            Throw.BadInput(
                labels.Length == 0 ? $"{file}: no labels" : $"{file}: label {labels[negative]} in row {negative}, expected classes from 0"
            );
        return labels;
    }

    /// <summary>Writes float32 values with the given shape.</summary>
    public static void Write(string file, ReadOnlySpan<float> values, params ReadOnlySpan<int> shape)
    {
        using var stream = File.Create(file);
        stream.Write(Header(shape));
        stream.Write(MemoryMarshal.AsBytes(values));
    }

    /// <summary>
    /// What stands before float32 values of the given shape: magic, version 1.0, length, then a Python dictionary padded so that the values
    /// start at a multiple of 64 (NumPy's NEP 1).
    /// </summary>
    internal static byte[] Header(params ReadOnlySpan<int> shape)
    {
        // Python writes a tuple of one element with a comma.
        var sizes = string.Join(", ", shape.ToArray()) + (shape.Length == 1 ? "," : "");
        var text = new StringBuilder($"{{'descr': '<f4', 'fortran_order': False, 'shape': ({sizes}), }}");
        // NEP 1: the header ends with a line break, which counts for the alignment.
        var total = (PrefixLength + 2 + text.Length + 1 + Alignment - 1) / Alignment * Alignment;
        text.Append(' ', total - PrefixLength - 2 - text.Length - 1).Append('\n');
        return [.. Magic, 1, 0, (byte)text.Length, (byte)(text.Length >> 8), .. Encoding.ASCII.GetBytes(text.ToString())];
    }

    private static FileStream Open(string file, string expected, int dimensions, out string type, out int[] shape)
    {
        if (!File.Exists(file))
            Throw.BadInput($"{file}: no such file, expected an npy file with a {expected} array");
        var stream = File.OpenRead(file);
        Span<byte> prefix = stackalloc byte[PrefixLength + 4];
        var read = stream.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false);
        if (read < prefix.Length || !prefix.StartsWith(Magic))
            Throw.BadInput($"{file}: not an npy file, expected one with a {expected} array");
        // NEP 1: the header's length has 2 bytes in version 1 and 4 bytes in later ones.
        var wide = prefix[6] >= 2;
        long length = wide
            ? BinaryPrimitives.ReadUInt32LittleEndian(prefix[PrefixLength..])
            : BinaryPrimitives.ReadUInt16LittleEndian(prefix[PrefixLength..]);
        stream.Position = PrefixLength + (wide ? 4 : 2);
        // Before the array is made: a damaged length of 4 GB must not be allocated.
        if (length > stream.Length)
            Throw.BadInput($"{file}: the header of {length} bytes is longer than the file");
        var header = new byte[length];
        Read(stream, file, header);
        var match = HeaderPattern().Match(Encoding.ASCII.GetString(header));
        var sizes = match.Groups["shape"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (!match.Success || sizes.Length != dimensions || match.Groups["fortran"].Value == "True")
            Throw.BadInput($"{file}: expected a {expected} array in row order, found {Encoding.ASCII.GetString(header).Trim()}");
        type = match.Groups["type"].Value;
        shape = Array.ConvertAll(
            sizes,
            s =>
                int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var v)
                    ? v
                    : throw new BadInputException($"{file}: size {s} is too large")
        );
        // Before arrays are made: the numbers of a damaged header would take all memory. The last digit of a type is its bytes per value.
        var (values, width) = (shape.Aggregate(1UL, (product, s) => product * (ulong)s), Math.Clamp(type[^1] - '0', 1, 8));
        if (values > (ulong)(stream.Length - stream.Position) / (ulong)width)
            Throw.BadInput($"{file}: ends before its last value; write it again");
        if (values > (ulong)(int.MaxValue / width))
            Throw.BadInput($"{file}: {values} values, expected at most 2 GB");
        return stream;
    }

    private static void Read(FileStream stream, string file, Span<byte> to)
    {
        if (stream.ReadAtLeast(to, to.Length, throwOnEndOfStream: false) < to.Length)
            Throw.BadInput($"{file}: ends before its last value; write it again");
    }

    [GeneratedRegex(@"'descr':\s*'(?<type>[^']+)',\s*'fortran_order':\s*(?<fortran>True|False),\s*'shape':\s*\((?<shape>[^)]*)\)")]
    private static partial Regex HeaderPattern();
}
