using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace TransferPipeline.Datasets;

/// <summary>
/// Text that people write: UTF-8 with or without a byte-order mark, UTF-16 and UTF-32 with one. Any other encoding is refused with the line
/// that shows it: guessing it would turn two class names into one.
/// </summary>
internal static class TextFile
{
    private const int ChunkBytes = 1 << 16;

    /// <summary>Checks a file without keeping it.</summary>
    /// <exception cref="BadInputException">It is not text in a supported encoding, or cannot be read.</exception>
    public static void Require(string file)
    {
        try
        {
            using var stream = new FileStream(
                file,
                FileMode.Open,
                FileAccess.Read,
                FileShare.Read,
                bufferSize: 0,
                FileOptions.SequentialScan
            );
            Require(stream, file);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new BadInputException($"{file} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The text of a whole file, for lists that are small.</summary>
    public static string Read(string file)
    {
        Require(file);
        return Decode(File.ReadAllBytes(file));
    }

    /// <summary>The lines of a list of names by number, trimmed; empty lines at the end are dropped.</summary>
    /// <exception cref="BadInputException">A line between names is empty: those behind it would move to other numbers.</exception>
    public static string[] Names(string file)
    {
        string[] lines = [.. Read(file).Split('\n').Select(line => line.Trim())];
        var names = lines[..(Array.FindLastIndex(lines, line => line.Length > 0) + 1)];
        return Array.IndexOf(names, "") is >= 0 and var empty
            ? throw new BadInputException(
                $"{file}, line {empty + 1}: empty, with names behind it; expected one name per line, the first for label 0: write the name "
                    + $"of label {empty} there, or remove the line"
            )
            : names;
    }

    /// <summary>Text from elsewhere than a file.</summary>
    /// <param name="name">What messages call it.</param>
    public static string Read(byte[] bytes, string name)
    {
        // A byte more than the text, which shows its end. Archives have a label for each photo, and large buffers cost more than these.
        Require(new MemoryStream(bytes), name, Math.Min(ChunkBytes, bytes.Length + 1));
        return Decode(bytes);
    }

    /// <summary>The encoding of a byte-order mark or UTF-8; what is neither comes as U+FFFD.</summary>
    public static string Decode(byte[] bytes)
    {
        var encoding = ByteOrderMark(bytes) ?? Encoding.UTF8;
        return encoding.GetString(bytes.AsSpan(bytes.AsSpan().StartsWith(encoding.Preamble) ? encoding.Preamble.Length : 0));
    }

    /// <summary>The encoding that a byte-order mark names, or null.</summary>
    private static Encoding? ByteOrderMark(ReadOnlySpan<byte> start)
    {
        // UTF-32 first: its mark begins with that of UTF-16.
        foreach (
            var encoding in (Encoding[])
                [
                    Encoding.UTF32,
                    new UTF32Encoding(bigEndian: true, byteOrderMark: true),
                    Encoding.UTF8,
                    Encoding.Unicode,
                    Encoding.BigEndianUnicode,
                ]
        )
        {
            if (start.StartsWith(encoding.Preamble))
                return encoding;
        }

        return null;
    }

    private static void Require(Stream stream, string name, int chunk = ChunkBytes)
    {
        var (bytes, chars) = (new byte[chunk], new char[chunk]);
        var (kept, line, isFirst) = (0, 1L, true);
        while (true)
        {
            var count = kept + stream.ReadAtLeast(bytes.AsSpan(kept), bytes.Length - kept, throwOnEndOfStream: false);
            var isLast = count < bytes.Length;
            // With a mark the encoding is known, and zero bytes are usual in UTF-16 and UTF-32.
            if (isFirst && ByteOrderMark(bytes.AsSpan(0, count)) is { } marked && marked.CodePage != Encoding.UTF8.CodePage)
                return;
            // isFinalBlock: a character that is cut at the end of a chunk is checked with the next chunk.
            var status = Utf8.ToUtf16(
                bytes.AsSpan(0, count),
                chars,
                out var read,
                out _,
                replaceInvalidSequences: false,
                isFinalBlock: isLast
            );
            // A zero byte is valid UTF-8, but shows that the file is UTF-16 without a mark.
            var zero = bytes.AsSpan(0, read).IndexOf((byte)0);
            if (isFirst && (zero >= 0 || status is OperationStatus.InvalidData) && MagicNumbers.NameOf(bytes.AsSpan(0, count)) is { } kind)
                throw new BadInputException($"{name} is {kind}; expected text in UTF-8");
            if (isFirst && MagicNumbers.OfText(bytes.AsSpan(0, count)) is { } other)
                throw new BadInputException($"{name} is {other}; expected text in UTF-8");
            if (zero >= 0)
                throw new BadInputException(
                    $"{name}, line {line + bytes.AsSpan(0, zero).Count((byte)'\n')}: a zero byte; expected text in UTF-8: UTF-16 "
                        + $"needs a byte-order mark, save the file as UTF-8"
                );
            line += bytes.AsSpan(0, read).Count((byte)'\n');
            if (status is OperationStatus.InvalidData)
            {
                throw new BadInputException(
                    $"{name}, line {line}: byte 0x{bytes[read]:X2} is not UTF-8; expected text in UTF-8: save the file as UTF-8 in the "
                        + $"program that wrote it, or convert it with iconv -f ENCODING -t UTF-8, with the encoding that it has"
                );
            }

            if (isLast)
                return;
            kept = count - read;
            bytes.AsSpan(read, kept).CopyTo(bytes);
            isFirst = false;
        }
    }
}
