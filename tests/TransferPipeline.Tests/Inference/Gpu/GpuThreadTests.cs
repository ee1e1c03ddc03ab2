using TransferPipeline.Inference.Gpu;

namespace TransferPipeline.Tests.Inference.Gpu;

public sealed class GpuThreadTests
{
    [Fact]
    public void Run_IsOnOneThreadThatWasPrepared_AndThrowsWhatTheBodyThrows()
    {
        var threads = new List<int>();
        using var lane = new GpuThread(() => threads.Add(Environment.CurrentManagedThreadId));
        Parallel.For(0, 20, _ => lane.Run(() => threads.Add(Environment.CurrentManagedThreadId)));
        Assert.Equal(21, threads.Count);
        Assert.NotEqual(Environment.CurrentManagedThreadId, Assert.Single(threads.Distinct()));
        Assert.Equal(
            "of the body",
            Assert.Throws<BadInputException>(() => lane.Run(() => throw new BadInputException("of the body"))).Message
        );
        lane.Run(() => { });
    }
}
