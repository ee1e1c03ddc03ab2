using System.Diagnostics;

namespace TransferPipeline.Inference;

/// <summary>Photos, the wall time that they took, and the processor time of all threads of this program.</summary>
internal readonly record struct Rate(int Photos, double Seconds, double ProcessorSeconds)
{
    public double PerSecond => Photos / Seconds;

    public static Rate Measure(int photos, Action body)
    {
        var (clock, processor) = (Stopwatch.StartNew(), Processor);
        body();
        return new(photos, clock.Elapsed.TotalSeconds, Processor - processor);
    }

    private static double Processor => Environment.CpuUsage.TotalTime.TotalSeconds;
}
