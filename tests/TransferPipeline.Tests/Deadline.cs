using System.Diagnostics;

namespace TransferPipeline.Tests;

/// <summary>No test waits for a process without end.</summary>
internal static class Deadline
{
    /// <summary>Many times what the slowest process of a test takes.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>The process, which is killed when it still runs after the limit: whoever reads its output then comes to an end.</summary>
    public static Process KilledAtLimit(this Process process)
    {
        _ = KillAsync(process);
        return process;
    }

    /// <summary>Waits for the end of a process; fails, and kills it, when it does not come.</summary>
    public static void WaitToEnd(this Process process)
    {
        if (process.WaitForExit(Limit))
            return;
        process.Kill(entireProcessTree: true);
        Assert.Fail($"{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)} did not end within {Limit}");
    }

    private static async Task KillAsync(Process process)
    {
        await Task.Delay(Limit);
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended, or the test has disposed it.
        }
    }
}
