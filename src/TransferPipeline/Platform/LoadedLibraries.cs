namespace TransferPipeline.Platform;

/// <summary>Files of the native libraries in this process.</summary>
internal static class LoadedLibraries
{
    /// <summary>The file of a library that the system found by its name; that name where the system does not list what is mapped.</summary>
    public static string FileOf(string name)
    {
        const string Maps = "/proc/self/maps";
        if (!OperatingSystem.IsLinux() || !File.Exists(Maps))
            return name;
        // A line is "address perms offset device inode path"; the path is the only field that contains a slash.
        return File.ReadLines(Maps)
                .Select(line => line.IndexOf('/') is var at and >= 0 ? line[at..] : "")
                .FirstOrDefault(file => Path.GetFileName(file).StartsWith(name, StringComparison.Ordinal))
            ?? name;
    }
}
