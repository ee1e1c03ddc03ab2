namespace TransferPipeline.Cli.Platform;

/// <summary>Commands as a shell takes them: bash and its like, on Windows PowerShell and cmd.</summary>
internal static class ShellWords
{
    private const string Name = "transfer";

    public static string Quoted(string argument) => Quoted(argument, OperatingSystem.IsWindows());

    /// <summary>An argument as it is typed.</summary>
    internal static string Quoted(string argument, bool windows)
    {
        // On Windows a backslash separates folders; cmd has no apostrophes, and neither shell takes it for an escape within quotes.
        var plain = windows ? "-_./:=\\" : "-_./:=,@+%";
        if (argument.Length > 0 && argument.All(c => char.IsAsciiLetterOrDigit(c) || plain.Contains(c)))
            return argument;
        return windows
            ? $"\"{argument.Replace("\"", "\\\"", StringComparison.Ordinal)}\""
            // Nothing can be escaped within apostrophes: they end, an escaped one follows, and they begin again.
            : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }

    /// <summary>How this program can be called from a folder: <c>bin/transfer</c> in a checkout, else <c>transfer</c>.</summary>
    /// <param name="program">The file that runs; the tool's may be .NET itself.</param>
    internal static string Program(string folder, string? program)
    {
        if (program is null || Path.GetFileNameWithoutExtension(program) != Name)
            return Name;
        var relative = Path.GetRelativePath(folder, program);
        // On Windows the path to another drive stays absolute.
        if (relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative))
            return Name;
        // Shells search the current folder only where it is named.
        return Quoted(relative.Contains(Path.DirectorySeparatorChar) ? relative : Path.Combine(".", relative));
    }
}
