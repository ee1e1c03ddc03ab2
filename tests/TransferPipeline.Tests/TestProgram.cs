using System.Diagnostics;

namespace TransferPipeline.Tests;

/// <summary>Starts the test program again as a child process.</summary>
internal static class TestProgram
{
    public static ProcessStartInfo With(params string[] arguments)
    {
        // Not by its name, which ends with .exe on Windows.
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(TestProgram).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return start;
    }
}
