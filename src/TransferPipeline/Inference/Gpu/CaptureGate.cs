namespace TransferPipeline.Inference.Gpu;

/// <summary>
/// Lets all lanes capture their graphs one after another before any of them runs: CUDA ends a capture with an error when another thread
/// copies or allocates meanwhile.
/// </summary>
internal sealed class CaptureGate(int lanes) : IDisposable
{
    private readonly CountdownEvent _left = new(lanes);

    /// <summary>Captures, then waits until every lane has, or has failed to.</summary>
    public void Pass(Action capture)
    {
        try
        {
            lock (_left)
                capture();
        }
        finally
        {
            // A lane that fails counts too, or the others would wait for it forever.
            _left.Signal();
        }

        _left.Wait();
    }

    public void Dispose() => _left.Dispose();
}
