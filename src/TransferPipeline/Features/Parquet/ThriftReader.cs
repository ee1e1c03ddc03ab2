namespace TransferPipeline.Features.Parquet;

/// <summary>Enough of Thrift's compact protocol to walk Parquet's metadata. Bytes that break it set <see cref="Failed"/>; nothing is read past the end.</summary>
internal ref struct ThriftReader(ReadOnlySpan<byte> bytes)
{
    private const int DeepestNesting = 24;

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _depth;

    private enum Kind
    {
        Stop,
        True,
        False,
        Byte,
        Int16,
        Int32,
        Int64,
        Double,
        Binary,
        List,
        Set,
        Map,
        Struct,
    }

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    public bool Failed { get; private set; }

    /// <summary>Goes to the next field of a struct; the field before must have been read or skipped.</summary>
    /// <param name="id">Number of the last field, 0 at a struct's start; becomes the next one's.</param>
    /// <returns>False at the struct's end, or when <see cref="Failed"/>.</returns>
    public bool Next(ref int id, out int kind)
    {
        var head = Byte();
        kind = head & 15;
        if (Failed || kind == (int)Kind.Stop)
            return false;
        id = head >> 4 == 0 ? (int)Int((int)Kind.Int16) : id + (head >> 4);
        return !Failed;
    }

    /// <summary>An integer of 16 to 64 bits.</summary>
    public long Int(int kind)
    {
        Failed |= kind is not ((int)Kind.Int16 or (int)Kind.Int32 or (int)Kind.Int64);
        var value = Unsigned();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>The bytes of a string.</summary>
    public ReadOnlySpan<byte> Binary(int kind)
    {
        Failed |= kind != (int)Kind.Binary;
        var length = Unsigned();
        if (Failed || length > (ulong)(_bytes.Length - Position))
        {
            Failed = true;
            return [];
        }

        Position += (int)length;
        return _bytes.Slice(Position - (int)length, (int)length);
    }

    /// <summary>The number of elements of a list of structs, which follow.</summary>
    public int Structs(int kind)
    {
        Failed |= kind != (int)Kind.List;
        var count = Elements(out var element);
        Failed |= element != (int)Kind.Struct;
        return Failed ? 0 : count;
    }

    /// <summary>Makes sure that a struct follows.</summary>
    public void Struct(int kind) => Failed |= kind != (int)Kind.Struct;

    public void Skip(int kind)
    {
        switch ((Kind)kind)
        {
            case Kind.True or Kind.False:
                return;
            case Kind.Byte:
                Byte();
                return;
            case Kind.Int16 or Kind.Int32 or Kind.Int64:
                Unsigned();
                return;
            case Kind.Double:
                Failed |= _bytes.Length - Position < sizeof(double);
                Position += Failed ? 0 : sizeof(double);
                return;
            case Kind.Binary:
                Binary(kind);
                return;
            case Kind.List or Kind.Set:
                SkipElements();
                return;
            case Kind.Struct:
                SkipStruct();
                return;
            default:
                // Parquet has no maps.
                Failed = true;
                return;
        }
    }

    private int Elements(out int kind)
    {
        var head = Byte();
        kind = head & 15;
        var count = head >> 4 == 15 ? Unsigned() : (ulong)(head >> 4);

        // An element has a byte at least.
        Failed |= count > (ulong)(_bytes.Length - Position);
        return Failed ? 0 : (int)count;
    }

    private void SkipElements()
    {
        var count = Elements(out var kind);
        if (++_depth > DeepestNesting)
            Failed = true;
        for (var i = 0; i < count && !Failed; i++)
        {
            // A truth value has a byte of its own in a list.
            Skip(kind is (int)Kind.True or (int)Kind.False ? (int)Kind.Byte : kind);
        }

        _depth--;
    }

    public void SkipStruct()
    {
        if (++_depth > DeepestNesting)
            Failed = true;
        var id = 0;
        while (!Failed && Next(ref id, out var kind))
            Skip(kind);
        _depth--;
    }

    private ulong Unsigned()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            value |= (ulong)(next & 127) << shift;
            if (next < 128)
                return value;
        }

        Failed = true;
        return 0;
    }

    private byte Byte()
    {
        if (Failed || Position >= _bytes.Length)
        {
            Failed = true;
            return 0;
        }

        return _bytes[Position++];
    }
}
