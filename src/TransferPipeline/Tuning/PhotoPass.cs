using System.Collections.Concurrent;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;

namespace TransferPipeline.Tuning;

/// <summary>Takes photos from their files through a model, one at a time on each thread, so that no result depends on the others.</summary>
internal sealed class PhotoPass : IDisposable
{
    private readonly ExtractionSpec _spec;
    private readonly CutModel? _model;
    private readonly TensorLayout _layout;
    private readonly InferenceSession? _session;
    private readonly int[] _entries;
    private readonly int _threads;
    private readonly ConcurrentBag<Worker> _workers = [];

    /// <param name="model">Null for the pixels alone.</param>
    public PhotoPass(ExtractionSpec spec, CutModel? model, TensorLayout layout, IReadOnlyList<FeatureRow> photos, int threads)
    {
        (_spec, _model, _layout, _threads) = (spec, model, layout, threads);
        _session = model is null ? null : SessionFactory.Create(model, new());
        // Photos are known by their paths in a feature set, and by their numbers in a dataset.
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < spec.Dataset.Entries.Count; i++)
            numbers[spec.Dataset.Entries[i].Path] = i;
        _entries = [.. photos.Select(p => numbers[p.Path])];
    }

    /// <summary>What is done with one photo.</summary>
    /// <param name="pixels">Its normalized pixels.</param>
    /// <param name="runner">Has its vectors; null without a model.</param>
    public delegate void Taker(int index, ReadOnlySpan<float> pixels, BackboneRunner? runner);

    /// <exception cref="JobFailedException">A photo cannot be read any more.</exception>
    public void Run(IReadOnlyList<(int Photo, int Copy)> wanted, Taker take, CancellationToken cancellation = default) =>
        Blocks.For(
            wanted.Count,
            1,
            _threads,
            (i, _, _) =>
            {
                // The pool's threads change from run to run; a worker with its buffers goes to whichever is free.
                if (!_workers.TryTake(out var worker))
                    worker = new(this);
                worker.Run(i, wanted[i].Photo, wanted[i].Copy, take);
                _workers.Add(worker);
            },
            cancellation
        );

    public void Dispose()
    {
        foreach (var worker in _workers)
            worker.Dispose();
        _session?.Dispose();
    }

    /// <summary>What one thread needs.</summary>
    private sealed class Worker : IDisposable
    {
        private readonly PhotoPass _owner;
        private readonly PhotoSource _source;
        private readonly BackboneRunner? _runner;
        private readonly float[] _pixels;

        public Worker(PhotoPass owner)
        {
            (_owner, _source) = (owner, new(owner._spec, new()));
            _runner = owner._session is null ? null : new(owner._session, owner._model!, 1);
            _pixels = _runner is null ? new float[_source.PixelsPerPhoto] : [];
        }

        public void Run(int index, int photo, int copy, Taker take)
        {
            var entry = _owner._entries[photo];
            var pixels = _runner is null ? _pixels : _runner.Pixels(0);
            try
            {
                _source.Read(entry, plainOnly: copy == 0);
                _source.Write(copy, pixels, _owner._layout);
            }
            catch (Exception e) when (PhotoSource.IsOfPhoto(e))
            {
                // An extraction leaves such a photo out; here it already has its place and its label in a batch.
                throw new JobFailedException(
                    $"{_owner._spec.Dataset.Entries[entry].Path}: could be read when the run began, and cannot any more ({e.OneLine()})",
                    e
                );
            }

            _runner?.Run();
            take(index, pixels, _runner);
        }

        public void Dispose() => _runner?.Dispose();
    }
}
