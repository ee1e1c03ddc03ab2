using System.Text;

namespace TransferPipeline.Libvips;

/// <summary>One operation of libvips by name: its properties are set, it is built, its outputs are read. Names end in NUL.</summary>
internal readonly unsafe ref struct VipsOperation
{
    private readonly nint _operation;

    /// <exception cref="JobFailedException">This build of libvips lacks the operation.</exception>
    public VipsOperation(ReadOnlySpan<byte> name)
    {
        fixed (byte* start = name)
            _operation = Vips.OperationNew(start);
        if (_operation == 0)
            throw new JobFailedException($"libvips lacks {Encoding.ASCII.GetString(name[..^1])}");
    }

    /// <summary>False when the operation failed.</summary>
    public bool Build() => Vips.ObjectBuild(_operation) == 0;

    /// <param name="start">Bytes that must stay where they are while the result is in use.</param>
    public void SetBlob(ReadOnlySpan<byte> property, byte* start, int length)
    {
        var blob = Vips.BlobNew(0, start, (nuint)length);
        Vips.GValue value = default;
        Vips.ValueInit(&value, Vips.BlobType());
        Vips.ValueSetBoxed(&value, blob);
        Set(property, &value);
        Vips.AreaUnref(blob);
    }

    public void SetEnum(ReadOnlySpan<byte> property, ReadOnlySpan<byte> type, int number)
    {
        var value = Typed(type);
        Vips.ValueSetEnum(&value, number);
        Set(property, &value);
    }

    public void SetFlags(ReadOnlySpan<byte> property, ReadOnlySpan<byte> type, uint flags)
    {
        var value = Typed(type);
        Vips.ValueSetFlags(&value, flags);
        Set(property, &value);
    }

    public void SetInt(ReadOnlySpan<byte> property, int number)
    {
        var value = Typed("gint\0"u8);
        Vips.ValueSetInt(&value, number);
        Set(property, &value);
    }

    public void SetImage(ReadOnlySpan<byte> property, nint image)
    {
        Vips.GValue value = default;
        Vips.ValueInit(&value, Vips.ImageType());
        Vips.ValueSetObject(&value, image);
        Set(property, &value);
    }

    /// <summary>An output, which the caller frees with <see cref="Vips.ValueUnset"/>.</summary>
    public Vips.GValue Get(ReadOnlySpan<byte> property, nint type)
    {
        Vips.GValue holder = default;
        Vips.ValueInit(&holder, type);
        fixed (byte* name = property)
            Vips.ObjectGetProperty(_operation, name, &holder);
        return holder;
    }

    public void Dispose()
    {
        Vips.ObjectUnrefOutputs(_operation);
        Vips.ObjectUnref(_operation);
    }

    private static Vips.GValue Typed(ReadOnlySpan<byte> type)
    {
        Vips.GValue value = default;
        fixed (byte* name = type)
            Vips.ValueInit(&value, Vips.TypeFromName(name));
        return value;
    }

    private void Set(ReadOnlySpan<byte> property, Vips.GValue* value)
    {
        fixed (byte* name = property)
            Vips.ObjectSetProperty(_operation, name, value);
        Vips.ValueUnset(value);
    }
}
