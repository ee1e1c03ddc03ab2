using TransferPipeline.Features;
using TransferPipeline.Tests.Extraction;

namespace TransferPipeline.Tests.Features;

public sealed class FolderLockTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(60_000)]
    [InlineData(Timeout.Infinite)]
    public async Task Take_WhileAnotherHoldsIt_SaysWhoOrWaits(int wait)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var messages = new List<string>();
        var held = FolderLock.Take(_folder.Root, TimeSpan.Zero, messages.Add, cancellation);
        var error = Assert.Throws<JobFailedException>(() => FolderLock.Take(_folder.Root, TimeSpan.Zero, messages.Add, cancellation));
        // Windows lets nobody read a file that is locked.
        var holder = OperatingSystem.IsWindows() ? "" : $" (process {Environment.ProcessId})";
        Assert.Contains($"is in use by another run{holder}", error.Message, StringComparison.Ordinal);
        var waiting = Task.Run(
            () => FolderLock.Take(_folder.Root, TimeSpan.FromMilliseconds(wait), messages.Add, cancellation),
            cancellation
        );
        await Task.Delay(300, cancellation);
        Assert.False(waiting.IsCompleted);
        held.Dispose();
        (await waiting).Dispose();
        Assert.Contains("waiting for another run", Assert.Single(messages), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.Root));
    }

    [Fact]
    public void Take_OfADeadRunsLock_Succeeds()
    {
        File.WriteAllText(Path.Combine(_folder.Root, ".lock"), "999999 of a process that was killed");
        FolderLock.Take(_folder.Root, TimeSpan.Zero, _ => { }, TestContext.Current.CancellationToken).Dispose();
        Assert.Empty(Directory.GetFiles(_folder.Root));
    }

    [Fact]
    public void Take_ByManyThreads_IsGivenToOneAtATime()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var (inside, most, taken) = (0, 0, 0);
        Parallel.For(
            0,
            8,
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellation },
            _ =>
            {
                for (var i = 0; i < 5; i++)
                {
                    using var held = FolderLock.Take(_folder.Root, TimeSpan.FromMinutes(2), static _ => { }, cancellation);
                    var now = Interlocked.Increment(ref inside);
                    most = Math.Max(most, now);
                    Interlocked.Increment(ref taken);
                    Interlocked.Decrement(ref inside);
                }
            }
        );
        Assert.Equal((1, 40), (most, taken));
    }

    [Fact]
    public void Run_WhileAnotherHoldsTheSet_StopsWithAMessage()
    {
        using var extraction = new TestExtraction(1);
        Directory.CreateDirectory(extraction.Set);
        using var held = FolderLock.Take(extraction.Set, TimeSpan.Zero, _ => { }, TestContext.Current.CancellationToken);
        Assert.Contains(
            "is in use by another run",
            Assert.Throws<JobFailedException>(() => extraction.Run()).Message,
            StringComparison.Ordinal
        );
        Assert.Equal(0, extraction.Decoder.Count);
    }
}
