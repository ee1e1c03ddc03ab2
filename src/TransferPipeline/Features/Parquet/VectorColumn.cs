using System.Buffers.Binary;

namespace TransferPipeline.Features.Parquet;

/// <summary>Where the pages of column <c>vector</c> (LIST of FLOAT) lie in a Parquet file, after its footer.</summary>
internal sealed class VectorColumn
{
    private const int TailLength = 8;
    private const int LongestFooter = 64 << 20;

    // Parquet's numbers (parquet.thrift): Type.FLOAT, FieldRepetitionType, ConvertedType.LIST.
    private const int Float = 4;
    private const int Required = 0;
    private const int Repeated = 2;
    private const int List = 3;

    private readonly List<SchemaNode> _schema = [];
    private readonly List<Chunk> _chunks = [];
    private int _leaf;

    private VectorColumn()
    {
    }

    /// <summary>The column in each row group, in file order.</summary>
    public IReadOnlyList<Chunk> Chunks => _chunks;

    /// <summary>Definition level of a value that is there.</summary>
    public int MaxDefinitionLevel { get; private set; }

    /// <returns>Null when the file is anything but Parquet with such a column, uncompressed and without a dictionary.</returns>
    public static VectorColumn? Find(Microsoft.Win32.SafeHandles.SafeFileHandle file, long length)
    {
        Span<byte> tail = stackalloc byte[TailLength];
        if (length < 2 * TailLength || RandomAccess.Read(file, tail, length - TailLength) != TailLength || !tail[4..].SequenceEqual("PAR1"u8))
            return null;
        var size = BinaryPrimitives.ReadInt32LittleEndian(tail);
        if (size is <= 0 or > LongestFooter || size > length - TailLength)
            return null;
        var footer = new byte[size];
        if (RandomAccess.Read(file, footer, length - TailLength - size) != size)
            return null;
        var column = new VectorColumn();
        var reader = new ThriftReader(footer);
        return column.Read(ref reader) && !reader.Failed ? column : null;
    }

    private bool Read(ref ThriftReader reader)
    {
        var (id, rows) = (0, -1L);
        while (reader.Next(ref id, out var kind))
        {
            if (id == 2)
            {
                for (var i = reader.Structs(kind); i > 0 && !reader.Failed; i--)
                    _schema.Add(SchemaNode.Read(ref reader));
                if (!FindLeaf())
                    return false;
            }
            else if (id == 3)
            {
                rows = reader.Int(kind);
            }
            else if (id == 4)
            {
                for (var i = reader.Structs(kind); i > 0 && !reader.Failed; i--)
                {
                    if (!ReadRowGroup(ref reader))
                        return false;
                }
            }
            else
            {
                reader.Skip(kind);
            }
        }

        return MaxDefinitionLevel > 0 && rows == _chunks.Sum(chunk => chunk.Rows);
    }

    /// <summary>Numbers the leaves of the schema, which lies there depth first, up to the vector's.</summary>
    private bool FindLeaf()
    {
        var (at, leaves, found) = (1, 0, 0);
        while (at < _schema.Count)
        {
            var node = _schema[at];
            if (node.IsVector)
            {
                if (++found > 1 || node.Children != 1 || node.ConvertedType != List || node.Repetition == Repeated || at + 2 >= _schema.Count)
                    return false;
                var (group, element) = (_schema[at + 1], _schema[at + 2]);
                if (group.Repetition != Repeated || group.Children != 1 || element.Repetition == Repeated || element.Children != 0 || element.Type != Float)
                    return false;
                MaxDefinitionLevel = 1 + (node.Repetition == Required ? 0 : 1) + (element.Repetition == Required ? 0 : 1);
                _leaf = leaves;
            }

            // Over the node and all below it.
            for (var open = 1L; open > 0 && at < _schema.Count; at++)
            {
                open += _schema[at].Children - 1;
                leaves += _schema[at].Children == 0 ? 1 : 0;
            }
        }

        return found == 1;
    }

    private bool ReadRowGroup(ref ThriftReader reader)
    {
        var (id, rows, chunk) = (0, 0L, default(Chunk));
        while (reader.Next(ref id, out var kind))
        {
            if (id == 1)
            {
                var count = reader.Structs(kind);
                for (var i = 0; i < count && !reader.Failed; i++)
                {
                    if (i != _leaf || MaxDefinitionLevel == 0)
                        reader.SkipStruct();
                    else if (Chunk.Read(ref reader) is { } read)
                        chunk = read;
                    else
                        return false;
                }
            }
            else if (id == 3)
            {
                rows = reader.Int(kind);
            }
            else
            {
                reader.Skip(kind);
            }
        }

        _chunks.Add(chunk with { Rows = rows });
        return !reader.Failed && rows is >= 0 and <= int.MaxValue && (chunk.Length > 0 || rows == 0);
    }

    /// <summary>A column of a row group.</summary>
    /// <param name="Start">First byte of its first page.</param>
    /// <param name="Length">Bytes of its pages, headers included.</param>
    public readonly record struct Chunk(long Start, long Length, long Values, long Rows)
    {
        public static Chunk? Read(ref ThriftReader reader)
        {
            var (id, chunk, usable) = (0, default(Chunk), true);
            while (reader.Next(ref id, out var kind))
            {
                // Another file (1) or encryption (8, 9) is not for us.
                usable &= id is not (1 or 8 or 9);
                if (id != 3)
                {
                    reader.Skip(kind);
                    continue;
                }

                reader.Struct(kind);
                usable &= ReadMetadata(ref reader, ref chunk);
            }

            return usable && !reader.Failed ? chunk : null;
        }

        private static bool ReadMetadata(ref ThriftReader reader, ref Chunk chunk)
        {
            var (id, usable) = (0, true);
            while (reader.Next(ref id, out var kind))
            {
                switch (id)
                {
                    case 1:
                        usable &= reader.Int(kind) == Float;
                        break;
                    case 4:
                        // CompressionCodec.UNCOMPRESSED.
                        usable &= reader.Int(kind) == 0;
                        break;
                    case 5:
                        chunk = chunk with { Values = reader.Int(kind) };
                        break;
                    case 7:
                        chunk = chunk with { Length = reader.Int(kind) };
                        break;
                    case 9:
                        chunk = chunk with { Start = reader.Int(kind) };
                        break;
                    case 11:
                        // A dictionary page.
                        usable &= reader.Int(kind) == 0;
                        break;
                    default:
                        reader.Skip(kind);
                        break;
                }
            }

            return usable;
        }
    }

    private readonly record struct SchemaNode(int Type, int Repetition, int Children, int ConvertedType, bool IsVector)
    {
        public static SchemaNode Read(ref ThriftReader reader)
        {
            var (id, node) = (0, new SchemaNode(-1, Required, 0, -1, false));
            while (reader.Next(ref id, out var kind))
            {
                switch (id)
                {
                    case 1:
                        node = node with { Type = (int)reader.Int(kind) };
                        break;
                    case 3:
                        node = node with { Repetition = (int)reader.Int(kind) };
                        break;
                    case 4:
                        node = node with { IsVector = reader.Binary(kind).SequenceEqual("vector"u8) };
                        break;
                    case 5:
                        node = node with { Children = (int)Math.Clamp(reader.Int(kind), 0, int.MaxValue / 2) };
                        break;
                    case 6:
                        node = node with { ConvertedType = (int)reader.Int(kind) };
                        break;
                    default:
                        reader.Skip(kind);
                        break;
                }
            }

            return node;
        }
    }
}
