namespace TransferPipeline.Evaluation;

/// <summary>Runs tasks of very different lengths: they start in order, each on the thread that is free first.</summary>
internal static class TaskQueue
{
    /// <param name="body">Called with the task's number and the threads that it may use itself; writes results of its own.</param>
    public static void Run(int tasks, int threads, Action<int, int> body, CancellationToken cancellation)
    {
        var workers = Math.Min(tasks, Math.Max(1, threads));
        if (workers == 0)
            return;
        // A shared counter instead of ranges:
        // behind one long task the rest of a range would wait while other threads idle.
        var next = -1;
        Blocks.For(
            workers,
            1,
            workers,
            (_, _, _) =>
            {
                for (var task = Interlocked.Increment(ref next); task < tasks; task = Interlocked.Increment(ref next))
                {
                    cancellation.ThrowIfCancellationRequested();
                    // With fewer tasks than threads, those that are left over work inside the tasks.
                    body(task, Math.Max(1, threads / workers));
                }
            },
            cancellation
        );
    }
}
