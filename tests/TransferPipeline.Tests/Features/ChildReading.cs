using System.Diagnostics;
using System.Globalization;
using TransferPipeline.Features;

namespace TransferPipeline.Tests.Features;

/// <summary>A process of its own that reads a file's vectors block by block and prints its rows and its peak memory.</summary>
internal static class ChildReading
{
    public const string Switch = "--child-read";

    /// <returns>Rows of the file, and the most memory that the process had, in bytes.</returns>
    public static (int Rows, long PeakBytes) Start(string library, string file, int columns)
    {
        var start = TestProgram.With(Switch, library, file, columns.ToString(CultureInfo.InvariantCulture));
        // What waits for the collector is not held: a small heap makes it come.
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x8000000";
        using var process = Process.Start(start)!.KilledAtLimit();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitToEnd();
        Assert.True(process.ExitCode == 0, error.Result);
        var numbers = output.Split(' ');
        return (int.Parse(numbers[0], CultureInfo.InvariantCulture), long.Parse(numbers[1], CultureInfo.InvariantCulture) << 10);
    }

    public static int Run(string[] args)
    {
        var block = new FeatureMatrix(1024, int.Parse(args[3], CultureInfo.InvariantCulture));
        var rows = 0;
        var left = DefaultTools.Create().ParquetLibraries.Find(args[1]).Instance.ReadBlocks(args[2], block, 0, () => rows += block.Rows);
        var peak = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        Console.WriteLine($"{rows + left} {peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Split('\t')[^1]}");
        return 0;
    }
}
