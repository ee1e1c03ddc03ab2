using System.Buffers.Binary;
using System.Text;

namespace TransferPipeline.Datasets;

/// <summary>A bytes object or 8-bit string of a pickle: where it lies in the file.</summary>
internal readonly record struct PickledBytes(int Offset, int Length);

/// <summary>A NumPy array of whole numbers, row by row.</summary>
/// <param name="Type">NumPy's name of the element type without its byte order: u1, i8.</param>
/// <param name="Content">The bytes where the file has them in another form (protocols below 3 of Python 3); else null, and
/// <paramref name="Data"/> says where they lie.</param>
internal sealed record PickledArray(int[] Shape, string Type, PickledBytes Data, byte[]? Content);

/// <summary>
/// Reads what CIFAR's Python form consists of: dictionaries, lists, tuples, numbers, texts and NumPy arrays of them. Nothing is imported
/// or called: the few names that such arrays need are known by their text, any other name or operation is refused. Protocols 0 to 5 without
/// their text operations (Python's pickletools.py lists the operations).
/// </summary>
internal sealed class Pickle
{
    private static readonly object Mark = new();

    private readonly byte[] _bytes;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];
    private int _at;

    private Pickle(byte[] bytes) => _bytes = bytes;

    /// <exception cref="InvalidDataException">It is damaged, or holds what this reader does not know.</exception>
    public static object? Read(byte[] bytes)
    {
        var pickle = new Pickle(bytes);
        try
        {
            // Lengths and counts of the file are not checked one by one: arrays, casts and the stack refuse wrong ones.
            return pickle.Run();
        }
        catch (Exception e)
            when (e
                    is ArgumentOutOfRangeException
                        or IndexOutOfRangeException
                        or InvalidCastException
                        or OverflowException
                        or ArgumentException
                        or NullReferenceException
            )
        {
            throw new InvalidDataException($"it breaks off or is damaged at byte {pickle._at}", e);
        }
    }

    /// <summary>A text or an 8-bit string of Python 2, as dictionaries' keys and names are written; null for anything else.</summary>
    public static string? TextOf(byte[] bytes, object? value) =>
        value switch
        {
            string text => text,
            PickledBytes part => Encoding.UTF8.GetString(bytes, part.Offset, part.Length),
            _ => null,
        };

    private object? Run()
    {
        while (true)
        {
            var code = _bytes[_at++];
            switch (code)
            {
                case 0x80:
                    Take(1);
                    break; // PROTO
                case 0x95:
                    Take(8);
                    break; // FRAME
                case (byte)'.':
                    return Pop();
                case (byte)'(':
                    _stack.Add(Mark);
                    break;
                case (byte)'0':
                    Pop();
                    break;
                case (byte)'1':
                    PopToMark();
                    break;
                case (byte)'2':
                    _stack.Add(_stack[^1]);
                    break;
                case (byte)'N':
                    _stack.Add(null);
                    break;
                case 0x88:
                    _stack.Add(true);
                    break;
                case 0x89:
                    _stack.Add(false);
                    break;
                case (byte)'}':
                    _stack.Add(new Dictionary<object, object?>());
                    break;
                case (byte)']':
                    _stack.Add(new List<object?>());
                    break;
                case (byte)')':
                    _stack.Add(Array.Empty<object?>());
                    break;
                case 0x85:
                    Tuple(1);
                    break;
                case 0x86:
                    Tuple(2);
                    break;
                case 0x87:
                    Tuple(3);
                    break;
                case (byte)'t':
                    _stack.Add(PopToMark());
                    break;
                case (byte)'l':
                    _stack.Add(PopToMark().ToList());
                    break;
                case (byte)'a':
                    Append([Pop()]);
                    break;
                case (byte)'e':
                    Append(PopToMark());
                    break;
                case (byte)'s':
                    SetItems([.. Last(2)]);
                    break;
                case (byte)'u':
                    SetItems(PopToMark());
                    break;
                case (byte)'c':
                    // C# evaluates arguments from left to right: the module's line, then the name's.
                    _stack.Add(Known(Line(), Line()));
                    break;
                case 0x93:
                    Global();
                    break;
                case (byte)'R':
                    Reduce();
                    break;
                case (byte)'b':
                    Build();
                    break;
                case 0x94:
                    // MEMOIZE has no argument: it stores at the next free index, the
                    // number of entries so far (pickletools.py).
                    _memo[_memo.Count] = _stack[^1];
                    break;
                case (byte)'q':
                    _memo[Take(1)[0]] = _stack[^1];
                    break;
                case (byte)'r':
                    _memo[Length(4)] = _stack[^1];
                    break;
                case (byte)'h':
                    _stack.Add(_memo.GetValueOrDefault(Take(1)[0]));
                    break;
                case (byte)'j':
                    _stack.Add(_memo.GetValueOrDefault(Length(4)));
                    break;
                default:
                    Constant(code);
                    break;
            }
        }
    }

    private void Constant(byte code)
    {
        object value = code switch
        {
            (byte)'K' => (long)Take(1)[0],
            (byte)'M' => (long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)),
            (byte)'J' => (long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)),
            // BINFLOAT is the one big-endian number of the format (pickletools.py).
            (byte)'G' => BinaryPrimitives.ReadDoubleBigEndian(Take(8)),
            0x8A => Long(),
            // Bytes are not copied: a dataset needs their place in the file only.
            (byte)'U' or (byte)'C' => Part(Take(1)[0]),
            (byte)'T' or (byte)'B' => Part(Length(4)),
            0x8E or 0x96 => Part(Length(8)),
            (byte)'X' => Encoding.UTF8.GetString(Take(Length(4))),
            0x8C => Encoding.UTF8.GetString(Take(Take(1)[0])),
            0x8D => Encoding.UTF8.GetString(Take(Length(8))),
            _ => throw new InvalidDataException(
                _bytes[0] == 0x80
                    ? $"operation 0x{code:X2} at byte {_at - 1} is not one that CIFAR's files have"
                    : "it is a pickle of protocol 0 or 1, or none; expected protocol 2 to 5, as pickle.dump writes with protocol=2"
            ),
        };
        _stack.Add(value);
    }

    private long Long()
    {
        var bytes = Take(Take(1)[0]);
        return bytes.Length <= 8
            ? bytes.Length == 0
                ? 0
                : (long)new System.Numerics.BigInteger(bytes)
            : throw new OverflowException();
    }

    /// <summary>A name with a role of its own, as a value: nothing stands behind it.</summary>
    private static Name Known(string module, string name) =>
        (module, name) switch
        {
            // NumPy 2 renamed numpy.core to numpy._core.
            ("numpy.core.multiarray" or "numpy._core.multiarray", "_reconstruct") => Name.Reconstruct,
            ("numpy.core.numeric" or "numpy._core.numeric", "_frombuffer") => Name.FromBuffer,
            ("numpy.core.multiarray" or "numpy._core.multiarray", "scalar") => Name.Scalar,
            ("numpy", "ndarray") => Name.Array,
            ("numpy", "dtype") => Name.Type,
            ("_codecs", "encode") => Name.Encode,
            ("__builtin__" or "builtins", "bytes") => Name.Bytes,
            _ => throw new InvalidDataException($"it refers to {module}.{name}, which CIFAR's files do not; do not trust this file"),
        };

    private void Global()
    {
        var name = (string)Pop()!;
        _stack.Add(Known((string)Pop()!, name));
    }

    private void Reduce()
    {
        var arguments = (object?[])Pop()!;
        _stack.Add(
            ((Name)Pop()!, arguments) switch
            {
                (Name.Reconstruct, [Name.Array, ..]) => new ArrayInMaking(),
                (Name.Type, [var type, ..]) => new ElementType(TextOf(_bytes, type)!),
                // Protocols below 3 have no bytes: Python 3 writes them as a text that is to be encoded in Latin-1.
                (Name.Encode, [string latin, "latin1" or "latin-1"]) => latin,
                // No bytes at all, in these protocols.
                (Name.Bytes, []) => "",
                (Name.Scalar, [ElementType type, var number]) => NumberOf(ArrayOf([], type, number)),
                (Name.FromBuffer, [PickledBytes data, ElementType type, object?[] shape, "C"]) => ArrayOf(shape, type, data),
                _ => throw new InvalidDataException($"an object at byte {_at - 1} is not one that CIFAR's files have"),
            }
        );
    }

    /// <summary>NumPy's state of an array: version, shape, element type, whether in Fortran's order, bytes.</summary>
    private void Build()
    {
        var state = (object?[])Pop()!;
        // The state of an element type is its version, byte order and more, which changes nothing here.
        if (_stack[^1] is ElementType element)
        {
            if (TextOf(_bytes, state[1]) == ">")
                throw new InvalidDataException($"its numbers of type {element.Name} are big-endian");
            return;
        }

        var made = (ArrayInMaking)_stack[^1]!;
        if (state is not [_, object?[] shape, ElementType type, false, var data])
            throw new InvalidDataException("an array is not row by row");
        made.Array = ArrayOf(shape, type, data);
    }

    /// <param name="data">Bytes, or a text that is them in Latin-1.</param>
    private static PickledArray ArrayOf(object?[] shape, ElementType type, object? data)
    {
        // checked: a damaged size beyond int must fail and not wrap.
        int[] sides = [.. shape.Select(side => checked((int)(long)side!))];
        var name = type.Name switch
        {
            "u1" or "|u1" or "uint8" => "u1",
            ['<' or '=', .. var rest] => rest,
            _ => type.Name,
        };
        if (name is not (['i' or 'u', '1' or '2' or '4' or '8']))
            throw new InvalidDataException($"its array has elements of type {type.Name}, expected whole numbers");
        var content = data is string latin ? BytesOf(latin) : null;
        var length = content?.Length ?? ((PickledBytes)data!).Length;
        return sides.Aggregate((long)(name[1] - '0'), (product, side) => product * side) == length
            ? new PickledArray(sides, name, content is null ? (PickledBytes)data! : default, content)
            : throw new InvalidDataException($"its array of {string.Join(" x ", sides)} has {length:N0} bytes");
    }

    private static byte[] BytesOf(string latin) =>
        latin.AsSpan().ContainsAnyExceptInRange('\0', '\u00FF')
            ? throw new InvalidDataException("a text that stands for bytes has other characters")
            : Encoding.Latin1.GetBytes(latin);

    private long NumberOf(PickledArray array) => Numbers(_bytes, array)[0];

    /// <summary>The values of an array of whole numbers.</summary>
    public static long[] Numbers(byte[] bytes, PickledArray array)
    {
        var data = array.Content ?? bytes.AsSpan(array.Data.Offset, array.Data.Length);
        var size = array.Type[1] - '0';
        var numbers = new long[data.Length / size];
        for (var i = 0; i < numbers.Length; i++)
        {
            var number = data.Slice(i * size, size);
            numbers[i] = array.Type switch
            {
                "u1" => number[0],
                "i1" => (sbyte)number[0],
                "u2" => BinaryPrimitives.ReadUInt16LittleEndian(number),
                "i2" => BinaryPrimitives.ReadInt16LittleEndian(number),
                "u4" => BinaryPrimitives.ReadUInt32LittleEndian(number),
                "i4" => BinaryPrimitives.ReadInt32LittleEndian(number),
                // A label beyond long would be none anyway.
                _ => BinaryPrimitives.ReadInt64LittleEndian(number),
            };
        }

        return numbers;
    }

    private void Append(object?[] values) => ((List<object?>)_stack[^1]!).AddRange(values);

    private void SetItems(object?[] pairs)
    {
        var dictionary = (Dictionary<object, object?>)_stack[^1]!;
        for (var i = 0; i + 1 < pairs.Length; i += 2)
            // Keys are 8-bit strings in files of Python 2 and texts in those of Python 3; both are found as text.
            dictionary[TextOf(_bytes, pairs[i]) ?? pairs[i]!] = pairs[i + 1] is ArrayInMaking made ? made.Array : pairs[i + 1];
    }

    private void Tuple(int length) => _stack.Add(Last(length));

    private object?[] Last(int count)
    {
        var values = _stack[^count..].ToArray();
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private object?[] PopToMark()
    {
        var mark = _stack.LastIndexOf(Mark);
        var values = _stack[(mark + 1)..].ToArray();
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private object? Pop()
    {
        var value = _stack[^1];
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private PickledBytes Part(int length)
    {
        var offset = _at;
        Take(length);
        return new PickledBytes(offset, length);
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        var bytes = _bytes.AsSpan(_at, length);
        _at += length;
        return bytes;
    }

    private int Length(int bytes) =>
        checked((int)(bytes == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(Take(4)) : BinaryPrimitives.ReadUInt64LittleEndian(Take(8))));

    private string Line()
    {
        var length = _bytes.AsSpan(_at).IndexOf((byte)'\n');
        var line = Encoding.ASCII.GetString(_bytes, _at, length);
        _at += length + 1;
        return line;
    }

    private enum Name
    {
        Reconstruct,
        FromBuffer,
        Array,
        Type,
        Encode,
        Bytes,
        Scalar,
    }

    private sealed record ElementType(string Name);

    private sealed class ArrayInMaking
    {
        public PickledArray? Array { get; set; }
    }
}
