using System.Buffers.Binary;

namespace TransferPipeline.Reports.Thumbnails;

/// <summary>
/// Baseline JPEG (ITU-T T.81) with chroma at half resolution: for the small pictures in a page, which as PNG would be five times as large.
/// </summary>
internal sealed class JpegEncoder
{
    private readonly JpegBits _bits;
    private readonly int[] _luma;
    private readonly int[] _chroma;
    private readonly double[] _block = new double[64];

    private JpegEncoder(int quality)
    {
        _bits = new JpegBits();
        _luma = JpegTables.Scale(JpegTables.Luminance, quality);
        _chroma = JpegTables.Scale(JpegTables.Chrominance, quality);
    }

    /// <param name="rgb">height x width x 3 bytes.</param>
    /// <param name="quality">1 to 100, on libjpeg's scale.</param>
    public static byte[] Encode(ReadOnlySpan<byte> rgb, int width, int height, int quality = 78)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rgb.Length, width * height * 3);
        var encoder = new JpegEncoder(quality);
        encoder.WriteHeaders(width, height);
        encoder.WriteScan(rgb, width, height);
        return encoder._bits.ToArray();
    }

    private void WriteHeaders(int width, int height)
    {
        _bits.Raw([0xFF, 0xD8]);
        Segment(0xE0, [(byte)'J', (byte)'F', (byte)'I', (byte)'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]);
        Segment(0xDB, [0, .. JpegTables.ZigZag.Select(i => (byte)_luma[i])]);
        Segment(0xDB, [1, .. JpegTables.ZigZag.Select(i => (byte)_chroma[i])]);
        Span<byte> frame = [8, 0, 0, 0, 0, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1];
        BinaryPrimitives.WriteUInt16BigEndian(frame[1..], (ushort)height);
        BinaryPrimitives.WriteUInt16BigEndian(frame[3..], (ushort)width);
        Segment(0xC0, frame);
        Segment(0xC4, [0x00, .. JpegTables.DcLuminance.Counts, .. JpegTables.DcLuminance.Symbols]);
        Segment(0xC4, [0x10, .. JpegTables.AcLuminance.Counts, .. JpegTables.AcLuminance.Symbols]);
        Segment(0xC4, [0x01, .. JpegTables.DcChrominance.Counts, .. JpegTables.DcChrominance.Symbols]);
        Segment(0xC4, [0x11, .. JpegTables.AcChrominance.Counts, .. JpegTables.AcChrominance.Symbols]);
        Segment(0xDA, [3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
    }

    private void Segment(byte marker, ReadOnlySpan<byte> content)
    {
        _bits.Raw([0xFF, marker, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2)]);
        _bits.Raw(content);
    }

    /// <summary>16 x 16 pixels at a time: four luminance blocks, then one of each chroma.</summary>
    private void WriteScan(ReadOnlySpan<byte> rgb, int width, int height)
    {
        var (y, cb, cr) = (new double[256], new double[256], new double[256]);
        Span<int> last = [0, 0, 0];
        for (var top = 0; top < height; top += 16)
        {
            for (var left = 0; left < width; left += 16)
            {
                for (var i = 0; i < 256; i++)
                {
                    var (row, column) = (Math.Min(top + (i >> 4), height - 1), Math.Min(left + (i & 15), width - 1));
                    var pixel = rgb.Slice(((row * width) + column) * 3, 3);
                    y[i] = (0.299 * pixel[0]) + (0.587 * pixel[1]) + (0.114 * pixel[2]) - 128;
                    cb[i] = (-0.168736 * pixel[0]) - (0.331264 * pixel[1]) + (0.5 * pixel[2]);
                    cr[i] = (0.5 * pixel[0]) - (0.418688 * pixel[1]) - (0.081312 * pixel[2]);
                }

                for (var part = 0; part < 4; part++)
                {
                    for (var i = 0; i < 64; i++)
                        _block[i] = y[((((part >> 1) * 8) + (i >> 3)) * 16) + ((part & 1) * 8) + (i & 7)];
                    last[0] = WriteBlock(_luma, last[0], JpegTables.DcLuminance, JpegTables.AcLuminance);
                }

                last[1] = WriteChroma(cb, last[1]);
                last[2] = WriteChroma(cr, last[2]);
            }
        }

        _bits.Finish();
        _bits.Raw([0xFF, 0xD9]);
    }

    private int WriteChroma(double[] values, int last)
    {
        for (var i = 0; i < 64; i++)
        {
            var at = ((i >> 3) * 32) + ((i & 7) * 2);
            _block[i] = (values[at] + values[at + 1] + values[at + 16] + values[at + 17]) / 4;
        }

        return WriteBlock(_chroma, last, JpegTables.DcChrominance, JpegTables.AcChrominance);
    }

    /// <summary>Transform, quantize, run-length and Huffman code of one block.</summary>
    /// <returns>Its DC value, from which the next block's difference is taken.</returns>
    private int WriteBlock(int[] quantization, int lastDc, HuffmanTable dcTable, HuffmanTable acTable)
    {
        JpegTables.Transform(_block);
        Span<int> values = stackalloc int[64];
        for (var i = 0; i < 64; i++)
            values[i] = (int)Math.Round(_block[JpegTables.ZigZag[i]] / quantization[JpegTables.ZigZag[i]]);

        WriteValue(dcTable, 0, values[0] - lastDc);
        var run = 0;
        for (var i = 1; i < 64; i++)
        {
            if (values[i] == 0)
            {
                run++;
                continue;
            }

            for (; run > 15; run -= 16)
                _bits.Code(acTable, 0xF0);
            WriteValue(acTable, run, values[i]);
            run = 0;
        }

        if (run > 0)
            _bits.Code(acTable, 0x00);
        return values[0];
    }

    private void WriteValue(HuffmanTable table, int run, int value)
    {
        var size = 32 - int.LeadingZeroCount(Math.Abs(value));
        _bits.Code(table, (byte)((run << 4) | size));
        _bits.Write(value < 0 ? value + (1 << size) - 1 : value, size);
    }
}
