namespace TransferPipeline.Libvips;

/// <summary>A photo whose header libvips has read and whose rows it decodes as they are asked for, on the calling thread.</summary>
internal unsafe ref struct VipsImage
{
    private Vips.GValue _holder;
    private readonly nint _image;
    private readonly nint _region;

    private VipsImage(Vips.GValue holder, nint image, nint region) => (_holder, _image, _region) = (holder, image, region);

    public readonly int Width => Vips.ImageWidth(_image);

    public readonly int Height => Vips.ImageHeight(_image);

    public readonly int Bands => Vips.ImageBands(_image);

    public readonly int Format => Vips.ImageFormat(_image);

    public readonly int Interpretation => Vips.ImageInterpretation(_image);

    public readonly int Orientation => Vips.ImageOrientation(_image);

    /// <summary>Opens encoded bytes, which must stay where they are, with the named loader; false when the header cannot be read.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> loader, byte* encoded, int length, out VipsImage image)
    {
        image = default;
        using var operation = new VipsOperation(loader);
        operation.SetBlob("buffer\0"u8, encoded, length);
        operation.SetEnum("access\0"u8, "VipsAccess\0"u8, Vips.AccessSequential);
        operation.SetEnum("fail-on\0"u8, "VipsFailOn\0"u8, Vips.FailOnTruncated);
        if (!operation.Build())
            return false;
        var holder = operation.Get("out\0"u8, Vips.ImageType());
        var opened = Vips.ValueGetObject(&holder);
        image = new VipsImage(holder, opened, Vips.RegionNew(opened));
        return true;
    }

    /// <summary>Rows as libvips has them, to be freed with <see cref="Vips.Free"/>; null when they cannot be decoded.</summary>
    public readonly byte* Rows(int first, int count)
    {
        nuint length;
        return Vips.RegionFetch(_region, 0, first, Width, count, &length);
    }

    public void Dispose()
    {
        Vips.ObjectUnref(_region);
        var holder = _holder;
        Vips.ValueUnset(&holder);
        _holder = default;
    }
}
