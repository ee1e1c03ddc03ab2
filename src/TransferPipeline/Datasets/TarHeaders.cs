using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Microsoft.Win32.SafeHandles;

namespace TransferPipeline.Datasets;

/// <summary>
/// Checks what stands in front of a member before TarReader reads it. TarReader takes the length of an extended header modulo 2^32, ends
/// without a word behind an extended header that has no member, and decodes names that are not UTF-8 with U+FFFD, which makes one name of
/// two.
/// </summary>
internal sealed class TarHeaders(string source, SafeFileHandle archive, long archiveBytes)
{
    public const int BlockBytes = 512;

    /// <summary>More than the names and attributes of any file; an extended header is read as a whole.</summary>
    private const int MostExtendedBytes = 64 << 20;

    private byte[] _block = new byte[BlockBytes];

    /// <summary>Checks the headers of the member at an offset.</summary>
    /// <returns>Whether there is one; else the archive ends here, with or without its mark.</returns>
    /// <exception cref="BadInputException">Its name is not UTF-8.</exception>
    /// <exception cref="InvalidDataException">A header does not fit its checksum, or an extended one has no member.</exception>
    /// <exception cref="EndOfStreamException">An extended header declares more bytes than the archive has.</exception>
    public bool Check(long start)
    {
        byte[]? extendedName = null;
        for (var at = start; ; )
        {
            if (!IsHeader(at))
                return at == start
                    ? false
                    : throw new InvalidDataException($"the member behind the extended header at byte {start:N0} is missing");
            // POSIX, pax: x is the extended header of one member, g that of all. GNU: L and K are its long name and long target.
            var type = (char)_block[156];
            if (type is not ('x' or 'L' or 'K' or 'g'))
            {
                RequireUtf8(extendedName ?? NameInHeader());
                return true;
            }

            var bytes = Number(_block.AsSpan(124, 12));
            at += BlockBytes;
            if (bytes > archiveBytes - at)
                throw new EndOfStreamException(
                    $"the extended header at byte {at - BlockBytes:N0} declares {bytes:N0} bytes, and {archiveBytes - at:N0} follow"
                );
            if (bytes > MostExtendedBytes)
                throw new InvalidDataException($"the extended header at byte {at - BlockBytes:N0} declares {bytes:N0} bytes");
            if (type == 'g')
                return true;
            if (type != 'K')
            {
                var content = Array.Empty<byte>();
                var length = FileBytes.Read(archive, at, bytes, source, ref content);
                var records = content.AsSpan(0, length);
                extendedName = type == 'L' ? UpToZero(records).ToArray() : PaxPath(records) ?? extendedName;
            }

            at += (bytes + BlockBytes - 1) / BlockBytes * BlockBytes;
        }
    }

    /// <summary>Whether a header begins at an offset: the block that begins the end mark is of zeros.</summary>
    private bool IsHeader(long at)
    {
        var bytes = FileBytes.Read(archive, at, BlockBytes, source, ref _block);
        if (bytes is > 0 and < BlockBytes)
            throw new EndOfStreamException($"the header at byte {at:N0} has {bytes} bytes, expected {BlockBytes}");
        if (!_block.AsSpan(0, bytes).ContainsAnyExcept((byte)0))
            return false;
        // The sum counts its own field as spaces (POSIX, ustar); old programs summed signed bytes. TarReader does not check it.
        var (sum, signedSum) = (0, 0);
        for (var i = 0; i < BlockBytes; i++)
        {
            var value = i is >= 148 and < 156 ? (byte)' ' : _block[i];
            sum += value;
            signedSum += (sbyte)value;
        }

        return Number(_block.AsSpan(148, 8)) is var stated && (stated == sum || stated == signedSum)
            ? true
            : throw new InvalidDataException($"the header at byte {at:N0} does not fit its checksum");
    }

    private byte[] NameInHeader()
    {
        var name = UpToZero(_block.AsSpan(0, 100));
        // The prefix is POSIX's alone: GNU, whose magic ends with a space, has other fields there.
        var prefix = _block.AsSpan(257, 6).SequenceEqual("ustar\0"u8) ? UpToZero(_block.AsSpan(345, 155)) : [];
        return prefix.Length == 0 ? name.ToArray() : [.. prefix, (byte)'/', .. name];
    }

    private void RequireUtf8(byte[] name)
    {
        if (Utf8.IsValid(name))
            return;
        var (shown, first) = (new StringBuilder(), -1);
        for (var i = 0; i < name.Length; )
        {
            var isValid = Rune.DecodeFromUtf8(name.AsSpan(i), out var rune, out var length) == System.Buffers.OperationStatus.Done;
            for (var j = i; !isValid && j < i + length; j++)
            {
                first = first < 0 ? name[j] : first;
                shown.Append(CultureInfo.InvariantCulture, $"\\x{name[j]:X2}");
            }

            if (isValid)
                shown.Append(rune.ToString());
            i += length;
        }

        throw new BadInputException(
            $"{source}, member '{shown}': byte 0x{first:X2} of its name is not UTF-8, and a guess could make one name of two; unpack the "
                + $"archive, rename its files (convmv -f ENCODING -t UTF-8, with the encoding that they have) and pack it again"
        );
    }

    /// <summary>Octal digits or, where the first bit is set, a number in base 256; what is neither is left to TarReader, as 0.</summary>
    private static long Number(ReadOnlySpan<byte> field)
    {
        var value = 0L;
        if ((field[0] & 0x80) != 0)
        {
            foreach (var digit in field[1..])
                value = value > long.MaxValue >> 8 ? long.MaxValue : (value << 8) | digit;
            return field[0] == 0xFF ? 0 : value;
        }

        foreach (var digit in Encoding.ASCII.GetString(UpToZero(field)).Trim())
        {
            if (digit is < '0' or > '7')
                return 0;
            value = value * 8 + digit - '0';
        }

        return value;
    }

    /// <summary>The path among the records of an extended header: "25 path=photos/a.jpg\n", the length first (POSIX, pax).</summary>
    private static byte[]? PaxPath(ReadOnlySpan<byte> records)
    {
        byte[]? path = null;
        while (records.IndexOf((byte)' ') is > 0 and var space)
        {
            if (
                !int.TryParse(records[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= space
                || length > records.Length
            )
                break;
            var record = records[(space + 1)..length];
            if (record.StartsWith("path="u8))
                path = record["path=".Length..].TrimEnd((byte)'\n').ToArray();
            records = records[length..];
        }

        return path;
    }

    private static ReadOnlySpan<byte> UpToZero(ReadOnlySpan<byte> field) =>
        field.IndexOf((byte)0) is >= 0 and var zero ? field[..zero] : field;
}
