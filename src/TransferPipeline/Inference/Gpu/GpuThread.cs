using System.Collections.Concurrent;

namespace TransferPipeline.Inference.Gpu;

/// <summary>
/// The one thread that calls a lane's session, in trials and in runs: ONNX Runtime 1.29 keeps a stream with handles of cuBLAS and cuDNN,
/// and CUDA graphs, for each thread that calls a session, and makes them anew, in a tenth of a second or more, for another.
/// </summary>
internal sealed class GpuThread : IDisposable
{
    private readonly BlockingCollection<Task> _work = [];
    private readonly Thread _thread;

    /// <param name="start">Runs first, such as making a GPU the thread's.</param>
    public GpuThread(Action start)
    {
        _thread = new(() =>
        {
            start();
            foreach (var task in _work.GetConsumingEnumerable())
                // An exception stays in the task and reaches whoever waits for it; the thread goes on.
                task.RunSynchronously();
        })
        {
            IsBackground = true,
            Name = "lane",
        };
        _thread.Start();
    }

    /// <summary>Runs after what was started before.</summary>
    public Task Start(Action body)
    {
        var task = new Task(body);
        _work.Add(task);
        return task;
    }

    /// <summary>Runs, and throws what it throws.</summary>
    public void Run(Action body) => Start(body).GetAwaiter().GetResult();

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }
}
