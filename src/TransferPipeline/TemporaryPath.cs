namespace TransferPipeline;

/// <summary>Names in the system's folder for temporary files.</summary>
internal static class TemporaryPath
{
    /// <summary>A name that no other process uses; nothing is there yet.</summary>
    /// <exception cref="JobFailedException">There is no such folder.</exception>
    public static string New(string suffix = "")
    {
        var folder = Path.GetTempPath();
        // .NET takes the variable's value unseen, and libraries report in words of their own that they cannot write there.
        if (!Directory.Exists(folder))
            throw new JobFailedException(
                $"{folder}, the folder for temporary files, does not exist; set {(OperatingSystem.IsWindows() ? "TEMP" : "TMPDIR")} to one "
                    + $"that does"
            );
        return Path.Combine(folder, $"transfer-{Environment.ProcessId}-{Guid.NewGuid():N}{suffix}");
    }
}
