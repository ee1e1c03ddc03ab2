using System.Diagnostics;
using TransferPipeline.Extraction;

namespace TransferPipeline.Tests.Extraction;

public sealed class WorkerTimesTests
{
    /// <summary>The writer's time is the longer one where hardly a photo can be decoded.</summary>
    [Fact]
    public void Shares_OfALongWrite_SumToOne()
    {
        var times = new WorkerTimes();
        var now = Stopwatch.GetTimestamp();
        times.Read(now - Stopwatch.Frequency);
        times.Decode(now - Stopwatch.Frequency);
        times.Write(now - 8 * Stopwatch.Frequency);
        var shares = times.Shares();
        Assert.InRange(shares.Write, 0.7, 0.85);
        Assert.Equal(1, shares.Read + shares.Decode + shares.Preprocess + shares.Infer + shares.Write, 9);
    }
}
