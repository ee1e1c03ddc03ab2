using System.Runtime.ExceptionServices;

namespace TransferPipeline;

/// <summary>
/// Parallel loops whose results do not depend on the number of threads: work is cut into blocks whose bounds depend on the
/// problem alone, each block writes its own partial result, and the caller sums the partials in block order.
/// </summary>
internal static class Blocks
{
    /// <summary>
    /// Runs <paramref name="body"/> once for each block of at most <paramref name="blockSize"/> of <paramref name="count"/> items.
    /// </summary>
    /// <param name="threads">Number of threads; 1 runs on the calling thread.</param>
    /// <param name="body">Called with block index, first item and end (exclusive).</param>
    public static void For(int count, int blockSize, int threads, Action<int, int, int> body, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockSize);
        var blocks = Count(count, blockSize);
        // One block is not worth a thread of the pool, and without Parallel.For its exception comes unwrapped.
        if (threads <= 1 || blocks <= 1)
        {
            for (var block = 0; block < blocks; block++)
            {
                cancellation.ThrowIfCancellationRequested();
                body(block, block * blockSize, Math.Min(count, (block + 1) * blockSize));
            }

            return;
        }

        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        try
        {
            Parallel.For(0, blocks, options, block => body(block, block * blockSize, Math.Min(count, (block + 1) * blockSize)));
        }
        catch (AggregateException failures) when (failures.InnerExceptions.Count > 0)
        {
            // The caller sees the same exception type as with one thread.
            // Throw keeps the stack trace of the block that failed, which a new throw would replace.
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }
    }

    /// <summary>Number of blocks of <paramref name="blockSize"/> that cover <paramref name="count"/> items.</summary>
    public static int Count(int count, int blockSize) => (count + blockSize - 1) / blockSize;
}
