using System.Text;

namespace TransferPipeline;

/// <summary>Files that a user gives to be read.</summary>
internal static class InputFile
{
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

    /// <summary>The bytes of a JSON file, without the byte-order mark that editors of Windows put in front and parsers refuse.</summary>
    /// <exception cref="BadInputException">The file cannot be read.</exception>
    public static ReadOnlyMemory<byte> Json(string file)
    {
        var bytes = Read(file, () => File.ReadAllBytes(file));
        var mark = Encoding.UTF8.Preamble;
        return bytes.AsMemory(bytes.AsSpan().StartsWith(mark) ? mark.Length : 0);
    }
}
