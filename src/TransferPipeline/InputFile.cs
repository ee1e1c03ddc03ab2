using System.Text;

namespace TransferPipeline;

/// <summary>Files that a user gives to be read.</summary>
internal static class InputFile
{
    /// <summary>Bytes of a pipeline, manifest or list; larger ones are none of these, and some devices never end.</summary>
    private const int MostText = 256 << 20;

    /// <summary>Reads; what cannot be read is bad input and no failure of the program's work.</summary>
    /// <exception cref="BadInputException">The file is gone, leads nowhere, or the user may not read it.</exception>
    public static T Read<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"{file} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>All bytes of a file or pipe that people write.</summary>
    /// <exception cref="BadInputException">It cannot be read, or is too large.</exception>
    public static byte[] Bytes(string file) =>
        Read(
            file,
            () =>
            {
                using var stream = File.OpenRead(file);
                return Bytes(stream, file);
            }
        );

    /// <param name="name">What messages call it.</param>
    /// <inheritdoc cref="Bytes(string)"/>
    public static byte[] Bytes(Stream stream, string name, int most = MostText)
    {
        using var all = new MemoryStream();
        var part = new byte[1 << 16];
        for (int read; (read = stream.Read(part)) > 0; )
        {
            if (all.Length + read > most)
                throw new BadInputException(
                    $"{name} has more than {most >> 20:N0} MiB, or never ends as some devices do; expected a file that people write"
                );
            all.Write(part, 0, read);
        }

        return all.ToArray();
    }

    /// <summary>The bytes of a JSON file, without the byte-order mark that editors of Windows put in front and parsers refuse.</summary>
    /// <exception cref="BadInputException">The file cannot be read.</exception>
    public static ReadOnlyMemory<byte> Json(string file)
    {
        var bytes = Bytes(file);
        var mark = Encoding.UTF8.Preamble;
        return bytes.AsMemory(bytes.AsSpan().StartsWith(mark) ? mark.Length : 0);
    }
}
