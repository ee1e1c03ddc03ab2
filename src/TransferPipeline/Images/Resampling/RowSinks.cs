namespace TransferPipeline.Images;

/// <summary>Puts rows as bytes into a larger picture of R G B.</summary>
internal readonly ref struct ByteRowSink(Span<byte> destination, int width, int x, int y) : IRowSink
{
    private readonly Span<byte> _destination = destination;

    public void Row(int row, ReadOnlySpan<byte> pixels) => pixels.CopyTo(_destination[(((y + row) * width + x) * 3)..]);
}

/// <summary>Normalizes rows into a batch tensor's photo: three planes (NCHW) or three values per pixel (NHWC).</summary>
internal readonly unsafe ref struct FloatRowSink(
    float* destination,
    PixelValues values,
    TensorLayout layout,
    int width,
    int height,
    int x,
    int y
) : IRowSink
{
    public void Row(int row, ReadOnlySpan<byte> pixels)
    {
        var offset = (nint)(y + row) * width + x;
        if (layout == TensorLayout.Nchw)
            values.ToPlanes(pixels, destination + offset, (nint)width * height);
        else
            values.ToPixels(pixels, destination + offset * 3);
    }
}
