namespace TransferPipeline.Reports.Thumbnails;

/// <summary>Bytes of a JPEG file; in entropy-coded data a zero byte follows each 0xFF (T.81 F.1.2.3).</summary>
internal sealed class JpegBits
{
    private readonly List<byte> _bytes = [];
    private uint _pending;
    private int _count;

    public void Raw(ReadOnlySpan<byte> bytes) => _bytes.AddRange(bytes);

    public void Code(HuffmanTable table, byte symbol) => Write(table.Codes[symbol], table.Lengths[symbol]);

    public void Write(int value, int length)
    {
        _pending = (_pending << length) | (uint)value;
        for (_count += length; _count >= 8; _count -= 8)
        {
            var next = (byte)(_pending >> (_count - 8));
            _bytes.Add(next);
            if (next == 0xFF)
                _bytes.Add(0);
        }
    }

    /// <summary>Fills the last byte with ones.</summary>
    public void Finish()
    {
        if (_count > 0)
            Write((1 << (8 - _count)) - 1, 8 - _count);
    }

    public byte[] ToArray() => [.. _bytes];
}
