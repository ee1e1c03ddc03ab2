namespace TransferPipeline.Tests;

/// <summary>What tests use of the system that not every platform has; those that need it are reported as skipped elsewhere.</summary>
internal static class UnixTools
{
    /// <summary>A shell, kill, pipes with names.</summary>
    public static void Require() => Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a Unix shell and pipes with names");

    /// <summary>Devices such as /dev/full, limits of processes, names of files that are not UTF-8.</summary>
    public static void RequireLinux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "needs Linux's devices, limits and file names");
}
