using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Inference;
using TransferPipeline.Platform;

namespace TransferPipeline.Extraction;

/// <summary>On a CPU each worker takes its photos from file to vector; all run one session, each in its own thread.</summary>
internal sealed class CpuEngine : IExtractionEngine
{
    private readonly InferenceSession _session;
    private readonly CutModel _model;
    private readonly int _workers;

    public CpuEngine(CutModel model, int workers)
    {
        // One session for all workers, so that the weights are in memory once.
        _session = SessionFactory.Create(model, new());
        // Loading a session leaves freed memory behind, which glibc would keep.
        NativeHeap.Trim();
        (_model, _workers) = (model, workers);
    }

    public int Decoders => _workers;

    public int RowsInFlight => 0;

    public IReadOnlyList<Action<CancellationToken>> Workers(ExtractionPass pass)
    {
        var batch = ExtractionSizes.BatchOf(_model);
        var count = Math.Clamp(_workers, 1, Math.Max(1, pass.Total));
        return
        [
            .. Enumerable.Repeat<Action<CancellationToken>>(
                cancellation =>
                {
                    using var worker = new ExtractionWorker(pass, _session, _model, batch);
                    worker.Run(cancellation);
                },
                count
            ),
        ];
    }

    public void Dispose() => _session.Dispose();
}
