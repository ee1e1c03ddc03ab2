namespace TransferPipeline.Inference;

/// <summary>Work on threads of its own: the pool's are for what is short, and grow by a few a second only.</summary>
internal static class OwnThreads
{
    /// <summary>Runs on as many threads, waits for all, and throws the first error.</summary>
    /// <param name="body">Called with the thread's number, from 0.</param>
    public static void Run(int threads, Action<int> body) =>
        // GetResult throws the error itself, Wait an AggregateException around it.
        Task.WhenAll(Enumerable.Range(0, threads).Select(i => Start(() => body(i)))).GetAwaiter().GetResult();

    public static Task Start(Action body) =>
        Task.Factory.StartNew(body, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
