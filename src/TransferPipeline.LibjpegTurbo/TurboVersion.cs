using System.Text;

namespace TransferPipeline.LibjpegTurbo;

/// <summary>
/// libjpeg-turbo's version, read from the library's file: TurboJPEG has no call for it, but one of its messages contains it.
/// </summary>
internal static class TurboVersion
{
    /// <summary>The version of the library in that file, or null when the file cannot be read or names none.</summary>
    public static string? Of(string file)
    {
        try
        {
            return In(File.ReadAllBytes(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A library of the system that is known by its name alone.
            return null;
        }
    }

    /// <summary>The number after the words "libjpeg-turbo version"; null when there is none.</summary>
    internal static string? In(ReadOnlySpan<byte> library)
    {
        var words = "libjpeg-turbo version "u8;
        var at = library.IndexOf(words);
        if (at < 0)
            return null;
        var rest = library[(at + words.Length)..];
        var length = rest.IndexOfAnyExcept("0123456789."u8);
        return length > 0 ? Encoding.ASCII.GetString(rest[..length]) : null;
    }
}
