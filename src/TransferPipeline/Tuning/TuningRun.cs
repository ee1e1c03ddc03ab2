using System.Diagnostics;

namespace TransferPipeline.Tuning;

/// <summary>Trains a part over the epochs: order, copies, rates, evaluation, and which weights are kept.</summary>
internal sealed class TuningRun
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(200);

    private readonly ITunedPart _part;
    private readonly IActivationSource _source;
    private readonly TuningPhotos _photos;
    private readonly FinetuneOptions _options;
    private readonly RateSchedule _rates;
    private readonly Action<TuningProgress> _progress;
    private readonly CancellationToken _cancellation;
    private readonly int _steps;
    private readonly Stopwatch _clock = new();
    private readonly List<TuningEpoch> _history = [];
    private TunedWeights? _kept;
    private int _keptCount;
    private double _best = double.NegativeInfinity;
    private long _doneHere;
    private TimeSpan _reported;

    public TuningRun(
        ITunedPart part,
        IActivationSource source,
        TuningPhotos photos,
        FinetuneOptions options,
        Action<TuningProgress> progress,
        CancellationToken cancellation
    )
    {
        (_part, _source, _photos, _options, _progress, _cancellation) = (part, source, photos, options, progress, cancellation);
        _steps = Blocks.Count(photos.Train.Length, options.Batch);
        _rates = new(options, _steps);
    }

    /// <summary>Of all epochs, those before an interruption included.</summary>
    public IReadOnlyList<TuningEpoch> History => _history;

    /// <summary>The epoch whose weights are kept, or the number of epochs in their average.</summary>
    public int KeptCount => _keptCount;

    /// <summary>
    /// Trains to the end, from the part's weights or on from the checkpoint; the part then has the weights that are kept.
    /// </summary>
    /// <exception cref="JobFailedException">The loss is not finite, or the checkpoint cannot be written.</exception>
    public void Run(string checkpoint, string key, Action<string> message)
    {
        var done = 0;
        if (TuningCheckpoint.Read(checkpoint, key, _part, message) is { } old)
        {
            (done, _kept, _keptCount, _best) = (old.Epoch, old.Kept, old.KeptCount, old.Best);
            _history.AddRange(old.History);
            message($"goes on after epoch {done} of {_options.Epochs}");
        }

        _clock.Start();
        for (var epoch = done; epoch < _options.Epochs; epoch++)
        {
            var began = _clock.Elapsed;
            var (loss, accuracy, rate) = Train(epoch);
            var reported = Accuracy(_photos.Reported);
            var held = Accuracy(_photos.HeldOut);
            // Held-out photos choose where there are any; the reported split then stays unseen.
            Keep(epoch, held?.Accuracy ?? reported?.Accuracy ?? 0);
            _history.Add(
                new(
                    epoch + 1,
                    rate,
                    loss,
                    accuracy,
                    reported?.Loss,
                    reported?.Accuracy,
                    held?.Accuracy,
                    (_clock.Elapsed - began).TotalSeconds
                )
            );
            // After the weights that are kept are up to date: both are of the same epoch in the file.
            new TuningCheckpoint(epoch + 1, _history, _kept, _keptCount, _best).Write(checkpoint, key, _part);
            Report(epoch, _photos.Train.Length, loss, force: true);
        }

        if (_kept is not null)
            _part.SetWeights(_kept);
    }

    /// <summary>Logits (photos x C) and features (photos x D) with the weights as they are, and mean loss and accuracy.</summary>
    public (float[] Logits, float[] Features, double Loss, double Accuracy) Evaluate(int[] photos, int classes, int dimension)
    {
        var (logits, features) = (new float[(long)photos.Length * classes], new float[(long)photos.Length * dimension]);
        var sum = new StepResult();
        // In batches of the training's size, for which the memory was estimated.
        var batch = Math.Min(_options.Batch, photos.Length);
        var inputs = new float[batch * _source.Values];
        for (var first = 0; first < photos.Length; first += batch)
        {
            _cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(batch, photos.Length - first);
            var chosen = photos.AsMemory(first, count).ToArray();
            var values = inputs.AsMemory(0, count * _source.Values);
            _source.Read(Array.ConvertAll(chosen, p => (p, 0)), values.Span);
            var step = _part.Evaluate(
                new TunedBatch([values], Array.ConvertAll(chosen, p => _photos.Labels[p])),
                logits.AsSpan(first * classes, count * classes),
                dimension == 0 ? [] : features.AsSpan(first * dimension, count * dimension)
            );
            sum = new(sum.Loss + step.Loss, sum.Weight + step.Weight, sum.Correct + step.Correct);
        }

        return (logits, features, sum.Loss / sum.Weight, (double)sum.Correct / photos.Length);
    }

    private (double Loss, double Accuracy)? Accuracy(int[] photos)
    {
        if (photos.Length == 0)
            return null;
        var (_, _, loss, accuracy) = Evaluate(photos, _photos.Classes.Count, 0);
        return (loss, accuracy);
    }

    private (double Loss, double Accuracy, double Rate) Train(int epoch)
    {
        var order = Enumerable.Range(0, _photos.Train.Length).ToArray();
        // A stream per epoch: a resumed run takes the order that an undisturbed one would.
        RandomStream.OfPart(_options.Seed, epoch).Shuffle(order);
        var (sum, rate) = (new StepResult(), 0.0);
        var next = Load(order, 0, epoch);
        try
        {
            for (var step = 0; step < _steps; step++)
            {
                _cancellation.ThrowIfCancellationRequested();
                var batch = next.GetAwaiter().GetResult();
                // Read while the step before computes; the batch's own memory is not reused before it is done.
                next = step + 1 < _steps ? Load(order, step + 1, epoch) : next;
                rate = _rates.At(epoch * _steps + step);
                var result = _part.Train(batch, rate * _options.BackboneRate, rate);
                sum = new(sum.Loss + result.Loss, sum.Weight + result.Weight, sum.Correct + result.Correct);
                // The step has put NaN into all weights, so going on is of no use.
                if (!double.IsFinite(result.Loss))
                    throw new JobFailedException(
                        FormattableString.Invariant(
                            $"the loss is not finite in epoch {epoch + 1}, step {step + 1}: training diverged; lower learning-rate ("
                        ) + FormattableString.Invariant($"{_options.LearningRate}), start from lp, or warm up")
                    );
                _doneHere += batch.Photos;
                Report(epoch, Math.Min((step + 1) * _options.Batch, order.Length), sum.Loss / sum.Weight, force: false);
            }
        }
        finally
        {
            // Where the loop ends early, the caller disposes of the source, whose memory and sessions the task still reads.
            ((Task)next)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing)
                .GetAwaiter()
                .GetResult();
        }

        return (sum.Loss / sum.Weight, (double)sum.Correct / order.Length, rate);
    }

    private Task<TunedBatch> Load(int[] order, int step, int epoch) =>
        Task.Run(() =>
        {
            var first = step * _options.Batch;
            var places = order.AsSpan(first, Math.Min(_options.Batch, order.Length - first)).ToArray();
            // Not one buffer for all: the batch before may still be computed.
            var values = new float[places.Length * _source.Values];
            var photos = Array.ConvertAll(places, place => (Photo: _photos.Train[place], Place: place));
            _source.Read(Array.ConvertAll(photos, p => (p.Photo, _source.CopyFor(p.Photo, p.Place, epoch))), values);
            return new TunedBatch([values], Array.ConvertAll(photos, p => _photos.Labels[p.Photo]));
        });

    private void Keep(int epoch, double accuracy)
    {
        switch (_options.Keep)
        {
            case FinetuneKeep.Best when accuracy > _best:
                (_kept, _keptCount, _best) = (_part.Weights(), epoch + 1, accuracy);
                break;
            case FinetuneKeep.Average when epoch >= _options.Epochs - Averaged(_options.Epochs):
                // Weights() makes a copy, which the part does not change, so the mean is taken in place.
                _kept = _kept is null ? _part.Weights() : Mean(_kept, _part.Weights(), ++_keptCount);
                _keptCount = Math.Max(_keptCount, 1);
                break;
            case FinetuneKeep.Last:
                _keptCount = epoch + 1;
                break;
        }
    }

    /// <summary>Epochs whose weights are averaged.</summary>
    // Rounded up, so that a single epoch is in its own average.
    internal static int Averaged(int epochs) => (epochs + 2) / 3;

    /// <summary>
    /// The mean of <paramref name="count"/> weights, of which the first count - 1 are in <paramref name="mean"/> already.
    /// </summary>
    private static TunedWeights Mean(TunedWeights mean, TunedWeights next, int count)
    {
        foreach (var (name, values) in mean.Graph)
            Add(values, next.Graph[name]);
        Add(mean.HeadWeights, next.HeadWeights);
        Add(mean.HeadBias, next.HeadBias);
        return mean;

        void Add(float[] to, float[] values)
        {
            for (var i = 0; i < to.Length; i++)
                // A running mean: sums of many epochs would lose digits in float32.
                to[i] += (values[i] - to[i]) / count;
        }
    }

    private void Report(int epoch, int inEpoch, double loss, bool force)
    {
        var elapsed = _clock.Elapsed;
        if (!force && elapsed - _reported < ReportInterval)
            return;
        _reported = elapsed;
        var (done, total) = ((long)epoch * _photos.Train.Length + inEpoch, (long)_options.Epochs * _photos.Train.Length);
        // Of this process alone: epochs before an interruption took time that is not known here.
        var rate = _doneHere / Math.Max(1e-9, elapsed.TotalSeconds);
        var left = _doneHere == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((total - done) / rate);
        _progress(new(epoch + 1, _options.Epochs, done, total, rate, loss, left));
    }
}
