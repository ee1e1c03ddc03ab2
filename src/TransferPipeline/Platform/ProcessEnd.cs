namespace TransferPipeline.Platform;

/// <summary>Ends this process at once.</summary>
internal static class ProcessEnd
{
    /// <summary>Environment.Exit would end native libraries while their threads still run, and they crash.</summary>
    public static void ExitNow(int code)
    {
        // Exit handlers do not run, and one of them would have written what .NET still buffers.
        Console.Out.Flush();
        if (OperatingSystem.IsWindows())
            _ = Kernel32.TerminateProcess(Kernel32.CurrentProcess(), (uint)code);
        else
            LibC.ExitNow(code);
    }
}
