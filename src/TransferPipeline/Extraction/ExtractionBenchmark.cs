using TransferPipeline.Backbones;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;

namespace TransferPipeline.Extraction;

/// <summary>How fast an extraction is beside what its parts could do, all from one run on one machine; rates are photos a second.</summary>
public sealed record ExtractionBenchmarkResult
{
    public required int Photos { get; init; }

    public required int Threads { get; init; }

    /// <summary>Reading and decoding alone, what the preprocessing reads of each photo, on all threads.</summary>
    public required double Decode { get; init; }

    /// <summary>From file to the bytes that a card takes (read, hashed, decoded, resized) on all threads: what no card can be fed beyond.</summary>
    public required double Feed { get; init; }

    /// <summary>The session alone, fed the same pixels again and again, by layout of sessions, threads and batch; on cards the one of the extraction.</summary>
    public required IReadOnlyDictionary<string, double> Layouts { get; init; }

    /// <summary>The best of <see cref="Layouts"/>, measured again in each round.</summary>
    public required double Session { get; init; }

    public required string BestLayout { get; init; }

    /// <summary>
    /// What remains when nothing but decoding and inference costs time: on the CPU, where both take the same cores,
    /// 1 / (1 / Decode + 1 / Session); on cards, which compute while the cores decode, the smaller of the two.
    /// </summary>
    public required double Bound { get; init; }

    /// <summary>From the first file's reading to the last part's commit, the loading of the model left out.</summary>
    public required double Achieved { get; init; }

    /// <summary>The best round's shares of the workers' time.</summary>
    public required TimeShares Shares { get; init; }

    /// <summary>Achieved / Bound; wall times, best of all rounds for each.</summary>
    public required double Ratio { get; init; }

    /// <summary>The same ratio from processor time, which other programs on the machine disturb less.</summary>
    public required double ProcessorRatio { get; init; }
}

/// <summary>Measures bare decoding, bare inference and a whole extraction in turns, several rounds, and takes the best of each.</summary>
public static class ExtractionBenchmark
{
    /// <param name="job">What to extract; its outputs' folders are not used.</param>
    /// <param name="photos">Number of photos, spread over the dataset.</param>
    /// <param name="scratch">A folder for the sets that are written; it is made and removed.</param>
    public static ExtractionBenchmarkResult Run(ExtractionJob job, int photos, string scratch, ExtractionOptions? options = null, int rounds = 3, CancellationToken cancellation = default) =>
        Run(job, photos, scratch, options ?? new(), rounds, job.Device.IsCpu ? null : GpuEngine.Create, cancellation);

    /// <param name="createCards">Makes the cards' engine; null for the CPU.</param>
    internal static ExtractionBenchmarkResult Run(ExtractionJob job, int photos, string scratch, ExtractionOptions options, int rounds, GpuEngineFactory? createCards, CancellationToken cancellation)
    {
        using var sample = new DatasetSample(job.Dataset, photos);
        var model = job.OpenModel();
        job = job with { Dataset = sample, OpenModel = () => model, Views = null };
        try
        {
            Directory.CreateDirectory(scratch);
            if (createCards is null)
                return Measure(job, model, scratch, options, rounds, cancellation);
            using var cards = createCards(job, options, job.Device.Precision == "fp16" ? HalfPrecision.Convert(model, options.Message) : model, sample.Entries.Count);
            return Measure(job, scratch, options with { Workers = cards.Decoders, FewerWorkers = false }, rounds, cards, cancellation);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>On the CPU: the best layout of sessions is found first.</summary>
    private static ExtractionBenchmarkResult Measure(ExtractionJob job, CutModel model, string scratch, ExtractionOptions options, int rounds, CancellationToken cancellation)
    {
        var count = job.Dataset.Entries.Count;
        if (job.Device.Precision == "fp16")
            model = HalfPrecision.Convert(model, options.Message);
        WarmUp(job, scratch, options, ExtractionEngines.Create, cancellation);
        var layouts = new Dictionary<string, double>();
        var best = default(SessionBenchmark.Layout);
        foreach (var layout in SessionBenchmark.Layouts(options.Workers, model.MaxBatch))
        {
            cancellation.ThrowIfCancellationRequested();
            using var tried = new SessionBenchmark(model, layout);
            // A large backbone needs a second for a few photos; more of them would say the same.
            var first = tried.Measure(layout.Batch * layout.Callers * 2).PerSecond;
            var rate = Math.Max(first, tried.Measure(Math.Min(128, (int)first + 1)).PerSecond);
            layouts[layout.ToString()] = rate;
            if (best.Batch == 0 || rate > layouts[best.ToString()])
                best = layout;
        }

        using var session = new SessionBenchmark(model, best);
        session.Measure(Math.Min(count, 16));
        var rates = Rounds(job, scratch, options, rounds, session, ExtractionEngines.Create, cancellation);
        return Result(count, options, layouts, best.ToString(), rates, 1 / (1 / rates.Decode.PerSecond + 1 / rates.Infer.PerSecond));
    }

    /// <summary>On cards, with what the engine's trials chose. Its sessions serve every round: a card may not hold them twice, and each start makes cuDNN choose and compile kernels again.</summary>
    private static ExtractionBenchmarkResult Measure(ExtractionJob job, string scratch, ExtractionOptions options, int rounds, GpuEngine cards, CancellationToken cancellation)
    {
        EngineFactory engine = (_, _, _, _) => cards.Lend();
        WarmUp(job, scratch, options, engine, cancellation);
        var rates = Rounds(job, scratch, options, rounds, cards, engine, cancellation);
        var layouts = new Dictionary<string, double> { [cards.Layout] = rates.Infer.PerSecond };
        return Result(job.Dataset.Entries.Count, options, layouts, cards.Layout, rates, Math.Min(rates.Decode.PerSecond, rates.Infer.PerSecond));
    }

    private static ExtractionBenchmarkResult Result(int photos, ExtractionOptions options, Dictionary<string, double> layouts, string best, Rates rates, double bound) => new()
    {
        Photos = photos,
        Threads = options.Workers,
        Decode = rates.Decode.PerSecond,
        Feed = rates.Feed.PerSecond,
        Layouts = layouts,
        Session = rates.Infer.PerSecond,
        BestLayout = best,
        Bound = bound,
        Achieved = rates.Achieved.PerSecond,
        Shares = rates.Shares,
        Ratio = rates.Achieved.PerSecond / bound,
        ProcessorRatio = (rates.Decode.ProcessorSeconds + rates.Infer.ProcessorSeconds) / rates.Achieved.ProcessorSeconds,
    };

    /// <summary>Compiles the code and fills the page cache; not counted.</summary>
    private static void WarmUp(ExtractionJob job, string scratch, ExtractionOptions options, EngineFactory engine, CancellationToken cancellation)
    {
        Decode(job, options.Workers);
        Feed(job, options.Workers);
        Extract(job, Path.Combine(scratch, "warm"), options, engine, cancellation, out _);
    }

    private static Rates Rounds(ExtractionJob job, string scratch, ExtractionOptions options, int rounds, ISessionBenchmark session, EngineFactory engine, CancellationToken cancellation)
    {
        var rates = new Rates();
        for (var round = 0; round < rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            rates.Decode.Take(Decode(job, options.Workers));
            rates.Feed.Take(Feed(job, options.Workers));
            rates.Infer.Take(session.Measure(job.Dataset.Entries.Count));
            if (rates.Achieved.Take(Extract(job, Path.Combine(scratch, $"round{round}"), options, engine, cancellation, out var shares)))
                rates.Shares = shares;
        }

        return rates;
    }

    private static Rate Decode(ExtractionJob job, int threads)
    {
        var next = -1;
        return Rate.Measure(job.Dataset.Entries.Count, () => OwnThreads.Run(threads, _ =>
        {
            var (encoded, photo, preprocessor) = (new byte[1 << 18], new RgbImage(), new Preprocessor(job.Preprocessing));
            for (int i; (i = Interlocked.Increment(ref next)) < job.Dataset.Entries.Count;)
            {
                try
                {
                    var length = job.Dataset.Read(i, ref encoded);
                    job.Decoder.Decode(encoded.AsSpan(0, length), job.Decode, photo, preprocessor);
                }
                catch (Exception e) when (PhotoReader.IsOfPhoto(e))
                {
                    // The extraction tries the same photos, and lists those that fail.
                }
            }
        }));
    }

    private static Rate Feed(ExtractionJob job, int threads)
    {
        var next = -1;
        return Rate.Measure(job.Dataset.Entries.Count, () => OwnThreads.Run(threads, _ =>
        {
            var reader = new TrialReader(job);
            for (int i; (i = Interlocked.Increment(ref next)) < job.Dataset.Entries.Count;)
                reader.Read(i);
        }));
    }

    private static Rate Extract(ExtractionJob job, string folder, ExtractionOptions options, EngineFactory engine, CancellationToken cancellation, out TimeShares shares)
    {
        job = job with { Outputs = [.. job.Outputs.Select((o, i) => o with { Folder = $"{folder}-{i}" })] };
        var last = new LastProgress();
        var result = Extractor.Run(job, options with { Progress = last, Shard = Shard.Whole, MaxFailedShare = 1 }, engine, cancellation)[0];
        shares = last.Value?.Shares ?? default;
        return new(job.Dataset.Entries.Count, result.ComputeSeconds, result.ComputeProcessorSeconds);
    }

    private sealed class LastProgress : IProgress<ExtractionProgress>
    {
        public ExtractionProgress? Value { get; private set; }

        public void Report(ExtractionProgress value) => Value = value;
    }

    /// <summary>The best of all rounds, and the shares of the best extraction.</summary>
    private sealed class Rates
    {
        public Best Decode { get; } = new();

        public Best Feed { get; } = new();

        public Best Infer { get; } = new();

        public Best Achieved { get; } = new();

        public TimeShares Shares { get; set; }
    }

    private sealed class Best
    {
        public double PerSecond { get; private set; }

        public double ProcessorSeconds { get; private set; } = double.PositiveInfinity;

        public bool Take(Rate rate)
        {
            ProcessorSeconds = Math.Min(ProcessorSeconds, rate.ProcessorSeconds / rate.Photos);
            var better = rate.PerSecond > PerSecond;
            PerSecond = Math.Max(PerSecond, rate.PerSecond);
            return better;
        }
    }
}

/// <summary>Makes the cards' engine; tests give one with the CPU's sessions.</summary>
internal delegate GpuEngine GpuEngineFactory(ExtractionJob job, ExtractionOptions options, CutModel model, int missing);
