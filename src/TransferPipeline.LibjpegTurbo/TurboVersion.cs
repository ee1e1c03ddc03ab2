using System.Text;

namespace TransferPipeline.LibjpegTurbo;

/// <summary>
/// libjpeg-turbo's version, out of the library's file: TurboJPEG has no call that tells it, but among its messages is one with the version.
/// </summary>
internal static class TurboVersion
{
    private const string FileName = $"lib{TurboJpeg.Library}.so";

    /// <exception cref="JobFailedException">The library is missing or does not say its version.</exception>
    public static string Read()
    {
        var file = Path.Combine(AppContext.BaseDirectory, FileName);
        if (!File.Exists(file))
            throw new JobFailedException($"{FileName} is not in {AppContext.BaseDirectory}; build again with `make build`");
        return In(File.ReadAllBytes(file))
            ?? throw new JobFailedException($"{file} is no libjpeg-turbo that says its version; expected 3.1 or newer");
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
