namespace TransferPipeline.Images;

/// <summary>A reusable 8-bit RGB picture: row-major, 3 bytes per pixel, no padding between rows.</summary>
public sealed class RgbImage
{
    /// <summary>Bytes past the last pixel that may be read: the resampling kernels load whole vectors.</summary>
    internal const int Slack = 64;

    private byte[] _pixels = [];

    /// <summary>In pixels.</summary>
    public int Width { get; private set; }

    /// <summary>In pixels.</summary>
    public int Height { get; private set; }

    /// <summary>Width x Height x 3 bytes, row-major, R G B.</summary>
    public Span<byte> Pixels => _pixels.AsSpan(0, Width * Height * 3);

    /// <summary>One row of Width x 3 bytes.</summary>
    public Span<byte> Row(int y) => _pixels.AsSpan(y * Width * 3, Width * 3);

    /// <summary>
    /// The first pixel's address, good until the next <see cref="Resize"/> while this object is alive: the array is pinned.
    /// </summary>
    internal unsafe byte* Address =>
        (byte*)
            System.Runtime.CompilerServices.Unsafe.AsPointer(
                ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(_pixels)
            );

    /// <summary>Sets the size and makes room; what the pixels hold afterwards is undefined.</summary>
    public void Resize(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        // An overflow would make room for too little, and native decoders write through the address.
        var needed = checked(width * height * 3);
        // It only grows: one buffer serves all photos of a worker.
        if (_pixels.Length < checked(needed + Slack))
            _pixels = GC.AllocateUninitializedArray<byte>(needed + Slack, pinned: true);
        (Width, Height) = (width, height);
    }
}
