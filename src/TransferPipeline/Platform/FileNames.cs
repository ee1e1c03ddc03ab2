using System.Text;

namespace TransferPipeline.Platform;

/// <summary>Names of files that all platforms can have, and paths inside folders.</summary>
internal static class FileNames
{
    /// <summary>Of Linux's file systems, in bytes; those of Windows and macOS take as many characters.</summary>
    private const int Longest = 255;

    /// <summary>Windows' devices, which no file may be named after, with or without an extension.</summary>
    private static readonly HashSet<string> Devices = new(
        ["CON", "PRN", "AUX", "NUL", .. Enumerable.Range(1, 9).SelectMany(i => new[] { $"COM{i}", $"LPT{i}" })],
        StringComparer.OrdinalIgnoreCase
    );

    /// <summary>Why a file or folder of this name could not be made on Windows, macOS or Linux; null when it can on all of them.</summary>
    public static string? Problem(string name)
    {
        if (name.Length == 0)
            return "it is empty";
        if (name.AsSpan().IndexOfAny("<>:\"/\\|?*") is >= 0 and var at)
            return $"it contains '{name[at]}'";
        if (name.Any(char.IsControl))
            return "it contains a control character";
        if (Encoding.UTF8.GetByteCount(name) > Longest)
            return $"it is longer than {Longest} bytes";
        if (name[^1] is '.' or ' ')
            return "it ends with a dot or a blank";
        // Windows finds the device whatever extension follows, also behind blanks: "nul .txt" is NUL.
        return Devices.Contains(name.Split('.')[0].TrimEnd()) ? "Windows has a device of that name" : null;
    }

    /// <summary>A name of a file or folder that shows a text, such as a tensor's name with slashes and colons.</summary>
    public static string Of(string text)
    {
        var name = string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_'));
        // What is left are names of devices, and dots at the end.
        return Problem(name) is null ? name : name.TrimEnd('.').Replace('.', '_') + "_";
    }

    /// <summary>The name itself where all platforms can have it, or what <see cref="Of"/> makes of it.</summary>
    public static string Portable(string name) => Problem(name) is null ? name : Of(name);

    /// <summary>Whether a name is a whole path of Windows on another system: <c>C:\1.jpg</c>, <c>\\server\1.jpg</c>.</summary>
    public static bool IsPathOfWindows(string name) =>
        !OperatingSystem.IsWindows() && name is [>= 'A' and <= 'Z' or >= 'a' and <= 'z', ':', '\\' or '/', ..] or ['\\', '\\', ..];

    /// <summary>Whether a file lies in a folder or below it.</summary>
    /// <param name="folder">A full path.</param>
    /// <param name="file">A full path.</param>
    public static bool IsInside(string folder, string file)
    {
        // With the separator at its end /data does not count as the parent of /database.
        if (!Path.EndsInDirectorySeparator(folder))
            folder += Path.DirectorySeparatorChar;
        return file.StartsWith(folder, OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
    }
}
