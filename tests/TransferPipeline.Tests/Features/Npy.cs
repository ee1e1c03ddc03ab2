using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace TransferPipeline.Tests.Features;

/// <summary>Reads NumPy's format 1.0 of float32 matrices by NumPy's description of it; independent of the writer.</summary>
internal static partial class Npy
{
    public static (int Rows, int Columns, float[] Values) Read(string file)
    {
        var bytes = File.ReadAllBytes(file);
        Assert.Equal([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0], bytes[..8]);
        var length = BitConverter.ToUInt16(bytes, 8);
        var header = Encoding.ASCII.GetString(bytes, 10, length);
        Assert.Equal(0, (10 + length) % 64);
        Assert.EndsWith("\n", header, StringComparison.Ordinal);
        Assert.Contains("'descr': '<f4'", header, StringComparison.Ordinal);
        Assert.Contains("'fortran_order': False", header, StringComparison.Ordinal);
        var shape = Shape().Match(header);
        var (rows, columns) = (int.Parse(shape.Groups[1].Value), int.Parse(shape.Groups[2].Value));
        var values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(10 + length)).ToArray();
        Assert.Equal(rows * columns, values.Length);
        return (rows, columns, values);
    }

    [GeneratedRegex(@"'shape': \((\d+), (\d+)\)")]
    private static partial Regex Shape();
}
