using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

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
        fixed (byte* name = loader)
        {
            var operation = Vips.OperationNew(name);
            if (operation == 0)
                throw new JobFailedException($"libvips lacks {System.Text.Encoding.ASCII.GetString(loader[..^1])}");
            try
            {
                SetBuffer(operation, encoded, length);
                SetEnum(operation, "access\0"u8, "VipsAccess\0"u8, Vips.AccessSequential);
                SetEnum(operation, "fail-on\0"u8, "VipsFailOn\0"u8, Vips.FailOnTruncated);
                if (Vips.ObjectBuild(operation) != 0)
                    return false;
                Vips.GValue holder = default;
                Vips.ValueInit(&holder, Vips.ImageType());
                fixed (byte* output = "out\0"u8)
                    Vips.ObjectGetProperty(operation, output, &holder);
                var opened = Vips.ValueGetObject(&holder);
                image = new VipsImage(holder, opened, Vips.RegionNew(opened));
                return true;
            }
            finally
            {
                Vips.ObjectUnrefOutputs(operation);
                Vips.ObjectUnref(operation);
            }
        }
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

    private static void SetBuffer(nint operation, byte* encoded, int length)
    {
        var blob = Vips.BlobNew(0, encoded, (nuint)length);
        Vips.GValue value = default;
        Vips.ValueInit(&value, Vips.BlobType());
        Vips.ValueSetBoxed(&value, blob);
        fixed (byte* name = "buffer\0"u8)
            Vips.ObjectSetProperty(operation, name, &value);
        Vips.ValueUnset(&value);
        Vips.AreaUnref(blob);
    }

    private static void SetEnum(nint operation, ReadOnlySpan<byte> property, ReadOnlySpan<byte> type, int number)
    {
        Vips.GValue value = default;
        fixed (byte* typeName = type)
            Vips.ValueInit(&value, Vips.TypeFromName(typeName));
        Vips.ValueSetEnum(&value, number);
        fixed (byte* name = property)
            Vips.ObjectSetProperty(operation, name, &value);
        Vips.ValueUnset(&value);
    }
}
