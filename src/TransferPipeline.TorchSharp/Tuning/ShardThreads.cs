using System.Runtime.ExceptionServices;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>Threads that do numbered pieces of work; the caller is one of them. libtorch keeps state per thread, so they stay.</summary>
internal sealed class ShardThreads : IDisposable
{
    private readonly SemaphoreSlim _start = new(0);
    private readonly SemaphoreSlim _end = new(0);
    private readonly Thread[] _helpers;
    private Action<int>? _work;
    private Exception?[] _failures = [];
    private int _next;
    private bool _isEnding;

    public ShardThreads(int threads)
    {
        // Background threads do not keep the process alive after an error elsewhere.
        _helpers = [.. Enumerable.Range(1, threads - 1).Select(i => new Thread(Help) { IsBackground = true, Name = $"tuning {i}" })];
        foreach (var helper in _helpers)
            helper.Start();
    }

    /// <summary>Does pieces 0 to <paramref name="count"/> - 1 and returns when all are done.</summary>
    public void Run(int count, Action<int> work)
    {
        // Before the release, which makes the fields visible to the helpers.
        (_work, _failures, _next) = (work, new Exception?[count], 0);
        // The calling thread takes pieces too.
        var helpers = Math.Min(_helpers.Length, count - 1);
        if (helpers > 0)
            _start.Release(helpers);
        TakePieces();
        // One end per start: a fast helper may take two starts, and when all ends are in no helper is at work.
        for (var i = 0; i < helpers; i++)
            _end.Wait();
        // The first piece's failure, whichever thread was quicker.
        if (Array.Find(_failures, f => f is not null) is { } failure)
            ExceptionDispatchInfo.Throw(failure);
    }

    public void Dispose()
    {
        _isEnding = true;
        if (_helpers.Length > 0)
            _start.Release(_helpers.Length);
        foreach (var helper in _helpers)
            helper.Join();
        _start.Dispose();
        _end.Dispose();
    }

    private void Help()
    {
        while (true)
        {
            _start.Wait();
            if (_isEnding)
                return;
            TakePieces();
            _end.Release();
        }
    }

    private void TakePieces()
    {
        TorchRuntime.UseOneThread();
        for (int piece; (piece = Interlocked.Increment(ref _next) - 1) < _failures.Length; )
        {
            try
            {
                _work!(piece);
            }
            catch (Exception e)
            {
                // Kept for the caller's thread, which throws it.
                _failures[piece] = e;
            }
        }
    }
}
