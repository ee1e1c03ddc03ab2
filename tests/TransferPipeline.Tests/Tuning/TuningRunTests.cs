using TransferPipeline.Features;
using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.Tuning;

/// <summary>How epochs are run, with a part and a source that compute nothing.</summary>
public sealed class TuningRunTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The next batch is read while a step computes; its source may be disposed of once the run has ended.</summary>
    [Fact]
    public void Run_ThatDiverges_EndsAfterTheReadAhead()
    {
        using var source = new SlowSource();
        var run = Run(new Part(double.NaN), source, TestContext.Current.CancellationToken);
        var error = Assert.Throws<JobFailedException>(() => run.Run(_folder.At("checkpoint"), "key", _ => { }));
        Assert.Contains("training diverged", error.Message, StringComparison.Ordinal);
        Assert.Equal((2, 0), (source.Started, source.Reading));
    }

    [Fact]
    public void Run_ThatIsCancelled_EndsAfterTheReadAhead()
    {
        using var stop = new CancellationTokenSource();
        using var source = new SlowSource();
        var run = Run(new Part(1) { OnTrain = stop.Cancel }, source, stop.Token);
        Assert.Throws<OperationCanceledException>(() => run.Run(_folder.At("checkpoint"), "key", _ => { }));
        Assert.Equal((2, 0), (source.Started, source.Reading));
    }

    /// <summary>Weights are any bytes, so that a damaged checkpoint would be trained on.</summary>
    [Fact]
    public void Run_FromADamagedCheckpoint_IsRefused()
    {
        var file = _folder.At("checkpoint");
        using var source = new SlowSource();
        Run(new Part(1), source, TestContext.Current.CancellationToken).Run(file, "key", _ => { });
        var whole = File.ReadAllBytes(file);
        // Behind the key, whose damage is that of another run's checkpoint.
        foreach (var at in new[] { 25, whole.Length / 2, whole.Length - 33, whole.Length - 1 })
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 4;
            Refuses(damaged);
        }

        Refuses(whole[..^1]);
        Refuses(whole[..30]);
        File.WriteAllBytes(file, whole);
        var messages = new List<string>();
        Run(new Part(1), source, TestContext.Current.CancellationToken).Run(file, "key", messages.Add);
        Assert.Equal(["goes on after epoch 1 of 1"], messages);

        void Refuses(byte[] bytes)
        {
            File.WriteAllBytes(file, bytes);
            var run = Run(new Part(1), source, TestContext.Current.CancellationToken);
            var error = Assert.Throws<BadInputException>(() => run.Run(file, "key", _ => { }));
            Assert.StartsWith($"{file} is damaged (", error.Message, StringComparison.Ordinal);
            Assert.EndsWith("delete it, and training begins anew", error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>A batch may be larger than the photos that are evaluated, and than all that memory holds.</summary>
    [Fact]
    public void Evaluate_TakesNoMoreMemoryThanThePhotosNeed()
    {
        using var source = new SlowSource { Values = 50_000 };
        var (logits, _, loss, _) = Run(new Part(1), source, TestContext.Current.CancellationToken, batch: 65536).Evaluate([0, 1, 2], 2, 0);
        Assert.Equal((6, 1), (logits.Length, loss));
    }

    [Fact]
    public void Read_CheckpointThatIsDamagedAnywhere_IsBadInputOrOfAnotherRun()
    {
        var (file, part) = (_folder.At("checkpoint"), new Part(1));
        new TuningCheckpoint(1, [new(1, 0.1, 0.7, 0.5, 0.6, 0.5, null, 2)], null, 0, 0.5).Write(file, "key", part);
        Assert.Equal(1, TuningCheckpoint.Read(file, "key", part, _ => { })?.Epoch);
        var whole = File.ReadAllBytes(file);
        for (var at = 0; at < whole.Length; at++)
        {
            foreach (var value in (byte[])[0, (byte)'9', 0x7f, 0x80, 0xff])
            {
                byte[] damaged = [.. whole];
                damaged[at] = value;
                File.WriteAllBytes(file, damaged);
                try
                {
                    // A changed number of epochs would train some twice, or none.
                    if (TuningCheckpoint.Read(file, "key", part, _ => { }) is { } read)
                        Assert.Equal((1, 1), (read.Epoch, read.History.Count));
                }
                catch (BadInputException e)
                {
                    Assert.Contains("is damaged", e.Message, StringComparison.Ordinal);
                }
            }
        }
    }

    private static TuningRun Run(ITunedPart part, IActivationSource source, CancellationToken cancellation, int batch = 2)
    {
        FeatureRow[] rows = [.. Enumerable.Range(0, 8).Select(i => new FeatureRow($"{i}.jpg", "a", "train", 0, "", 0, 0, 1, 1))];
        var photos = new TuningPhotos(rows, ["a", "b"], [0, 1, 0, 1, 0, 1, 0, 1], [0, 1, 2, 3, 4, 5], [], [6, 7]);
        return new(part, source, photos, new FinetuneOptions { Batch = batch, Epochs = 1 }, _ => { }, cancellation);
    }

    private sealed class SlowSource : IActivationSource
    {
        private int _reading;
        private int _started;

        public int Reading => Volatile.Read(ref _reading);

        public int Started => Volatile.Read(ref _started);

        public int Values { get; init; } = 3;

        public int CopyFor(int photo, int place, int epoch) => 0;

        public void Read(IReadOnlyList<(int Photo, int Copy)> wanted, Span<float> to)
        {
            Interlocked.Increment(ref _reading);
            Interlocked.Increment(ref _started);
            Thread.Sleep(300);
            Interlocked.Decrement(ref _reading);
        }

        public void Dispose() => Assert.Equal(0, Reading);
    }

    /// <summary>A part whose steps have a given loss.</summary>
    private sealed class Part(double loss) : ITunedPart
    {
        public Action OnTrain { get; init; } = static () => { };

        public IReadOnlyList<TunedParameter> Parameters => [];

        public long ActivationBytesPerPhoto => 0;

        public long WeightBytes => 0;

        public int Shards => 1;

        public bool KeepsBatch => false;

        public StepResult Train(TunedBatch batch, double backboneRate, double headRate)
        {
            // The source counts a read only once its task runs.
            Thread.Sleep(100);
            OnTrain();
            return new(loss, batch.Photos, 0);
        }

        public StepResult Evaluate(TunedBatch batch, Span<float> logits, Span<float> features) => new(loss * batch.Photos, batch.Photos, 0);

        public TunedWeights Weights() => new(new Dictionary<string, float[]>(), [], []);

        public void SetWeights(TunedWeights weights) { }

        public void Save(Stream to) { }

        public void Load(Stream from) { }

        public void Dispose() { }
    }
}
