using TransferPipeline.Backbones;
using TransferPipeline.Datasets;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Images;
using TransferPipeline.Inference;

namespace TransferPipeline.Cli.Bench;

/// <summary>
/// How fast an extraction is beside what its parts could do, all from one run on one machine; rates are photos per second.
/// </summary>
internal sealed record ExtractionBenchmarkResult
{
    public required int Photos { get; init; }

    public required int Threads { get; init; }

    /// <summary>Reading and decoding alone, what the preprocessing reads of each photo, on all threads.</summary>
    public required double Decode { get; init; }

    /// <summary>
    /// From file to the bytes that a GPU takes (read, hashed, decoded, resized) on all threads: no GPU gets more.
    /// </summary>
    public required double Feed { get; init; }

    /// <summary>
    /// The session alone, on the same pixels again and again, by layout of sessions, threads and batch; on GPUs the one of the extraction.
    /// </summary>
    public required IReadOnlyDictionary<string, double> Layouts { get; init; }

    /// <summary>The best of <see cref="Layouts"/>, measured again in each round.</summary>
    public required double Session { get; init; }

    public required string BestLayout { get; init; }

    /// <summary>
    /// What remains when nothing but decoding and inference costs time: on the CPU, where both take the same cores,
    /// 1 / (1 / Decode + 1 / Session); on GPUs, which compute while the cores decode, the smaller of the two.
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
internal static class ExtractionBenchmark
{
    /// <param name="spec">What to extract; its outputs' folders are not used.</param>
    /// <param name="photos">Number of photos, spread over the dataset.</param>
    /// <param name="scratch">A folder for the sets that are written; it is made and removed.</param>
    public static ExtractionBenchmarkResult Run(
        ExtractionSpec spec,
        int photos,
        string scratch,
        ExtractionOptions? options = null,
        int rounds = 3,
        CancellationToken cancellation = default
    ) => Run(spec, photos, scratch, options ?? new(), rounds, spec.Device.IsCpu ? null : GpuPlan.Measure, cancellation);

    /// <param name="planGpus">Makes the sessions of the GPUs; null for the CPU.</param>
    internal static ExtractionBenchmarkResult Run(
        ExtractionSpec spec,
        int photos,
        string scratch,
        ExtractionOptions options,
        int rounds,
        GpuPlanner? planGpus,
        CancellationToken cancellation
    )
    {
        using var sample = new DatasetSample(spec.Dataset, photos);
        // Opened once: loading is no part of any rate.
        var model = spec.OpenModel();
        spec = spec with { Dataset = sample, OpenModel = () => model, Views = null };
        try
        {
            Directory.CreateDirectory(scratch);
            if (planGpus is null)
                return Measure(spec, model, scratch, options, rounds, cancellation);
            var converted = spec.Device.Precision == Precision.Fp16 ? HalfPrecision.Convert(model, options.Message) : model;
            using var gpus = new GpuSessionBenchmark(new(spec.Device, planGpus(spec, options, converted, sample.Entries.Count)));
            // As many as the plan's trial chose, so that bare decoding and the extraction use the same threads.
            return Measure(spec, scratch, options with { Workers = gpus.Decoders, FewerWorkers = false }, rounds, gpus, cancellation);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>On the CPU: the best layout of sessions is found first.</summary>
    private static ExtractionBenchmarkResult Measure(
        ExtractionSpec spec,
        CutModel model,
        string scratch,
        ExtractionOptions options,
        int rounds,
        CancellationToken cancellation
    )
    {
        var count = spec.Dataset.Entries.Count;
        if (spec.Device.Precision == Precision.Fp16)
            model = HalfPrecision.Convert(model, options.Message);
        WarmUp(spec, scratch, options, ExtractionEngines.Create, cancellation);
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
        // The first runs of a session allocate its memory; they are not counted.
        session.Measure(Math.Min(count, 16));
        var rates = Rounds(spec, scratch, options, rounds, session, ExtractionEngines.Create, cancellation);
        // On the CPU decoding and inference share the cores, so their times per photo add up.
        return Result(count, options, layouts, best.ToString(), rates, 1 / (1 / rates.Decode.PerSecond + 1 / rates.Infer.PerSecond));
    }

    /// <summary>
    /// On GPUs, with what the plan's trials chose. Its sessions serve every round: a GPU may not hold them twice, and each start makes
    /// cuDNN choose and compile kernels again.
    /// </summary>
    private static ExtractionBenchmarkResult Measure(
        ExtractionSpec spec,
        string scratch,
        ExtractionOptions options,
        int rounds,
        GpuSessionBenchmark gpus,
        CancellationToken cancellation
    )
    {
        EngineFactory engine = (_, _, _, _) => gpus.Lend();
        WarmUp(spec, scratch, options, engine, cancellation);
        var rates = Rounds(spec, scratch, options, rounds, gpus, engine, cancellation);
        var layouts = new Dictionary<string, double> { [gpus.Layout] = rates.Infer.PerSecond };
        return Result(
            spec.Dataset.Entries.Count,
            options,
            layouts,
            gpus.Layout,
            rates,
            Math.Min(rates.Decode.PerSecond, rates.Infer.PerSecond)
        );
    }

    private static ExtractionBenchmarkResult Result(
        int photos,
        ExtractionOptions options,
        Dictionary<string, double> layouts,
        string best,
        Rates rates,
        double bound
    ) =>
        new()
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
            // Processor time per photo, so decoding and inference add up on every device.
            ProcessorRatio = (rates.Decode.ProcessorSeconds + rates.Infer.ProcessorSeconds) / rates.Achieved.ProcessorSeconds,
        };

    /// <summary>Compiles the code and fills the page cache; not counted.</summary>
    private static void WarmUp(
        ExtractionSpec spec,
        string scratch,
        ExtractionOptions options,
        EngineFactory engine,
        CancellationToken cancellation
    )
    {
        Decode(spec, options.Workers);
        Feed(spec, options.Workers);
        Extract(spec, Path.Combine(scratch, "warm"), options, engine, cancellation, out _);
    }

    private static Rates Rounds(
        ExtractionSpec spec,
        string scratch,
        ExtractionOptions options,
        int rounds,
        ISessionBenchmark session,
        EngineFactory engine,
        CancellationToken cancellation
    )
    {
        var rates = new Rates();
        for (var round = 0; round < rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            rates.Decode.Take(Decode(spec, options.Workers));
            rates.Feed.Take(Feed(spec, options.Workers));
            rates.Infer.Take(session.Measure(spec.Dataset.Entries.Count));
            // A folder per round: in the one before all vectors would be reused.
            if (rates.Achieved.Take(Extract(spec, Path.Combine(scratch, $"round{round}"), options, engine, cancellation, out var shares)))
                rates.Shares = shares;
        }

        return rates;
    }

    private static Rate Decode(ExtractionSpec spec, int threads) =>
        OnThreads(
            spec,
            threads,
            () =>
            {
                var (encoded, photo, preprocessor) = (new byte[1 << 18], new RgbImage(), new Preprocessor(spec.Preprocessing));
                return i =>
                {
                    try
                    {
                        var length = spec.Dataset.Read(i, ref encoded);
                        spec.Decoder.Decode(encoded.AsSpan(0, length), spec.Decode, photo, preprocessor);
                    }
                    catch (Exception e) when (PhotoSource.IsOfPhoto(e))
                    {
                        // The extraction tries the same photos, and lists those that fail.
                    }
                };
            }
        );

    private static Rate Feed(ExtractionSpec spec, int threads) =>
        OnThreads(
            spec,
            threads,
            () =>
            {
                var (source, pixels) = (new PhotoSource(spec, new()), Array.Empty<byte>());
                return i => TrialRates.Produce(source, spec, i, ref pixels);
            }
        );

    /// <summary>The rate of work on each photo.</summary>
    /// <param name="start">Makes a thread's own work, which takes the photo's number.</param>
    private static Rate OnThreads(ExtractionSpec spec, int threads, Func<Action<int>> start)
    {
        var (next, count) = (-1, spec.Dataset.Entries.Count);
        return Rate.Measure(
            count,
            () =>
                OwnThreads.Run(
                    threads,
                    _ =>
                    {
                        var work = start();
                        for (int i; (i = Interlocked.Increment(ref next)) < count; )
                            work(i);
                    }
                )
        );
    }

    private static Rate Extract(
        ExtractionSpec spec,
        string folder,
        ExtractionOptions options,
        EngineFactory engine,
        CancellationToken cancellation,
        out TimeShares shares
    )
    {
        spec = spec with { Outputs = [.. spec.Outputs.Select((o, i) => o with { Folder = $"{folder}-{i}" })] };
        var last = new LastProgress();
        // Photos that cannot be decoded are part of the measured work and no reason to fail.
        var result = Extractor.Run(spec, options with { Progress = last, Shard = Shard.Whole, MaxFailedShare = 1 }, engine, cancellation)[
            0
        ];
        shares = last.Value?.Shares ?? default;
        return new(spec.Dataset.Entries.Count, result.ComputeSeconds, result.ComputeProcessorSeconds);
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

/// <summary>Plans the use of the GPUs; tests give the CPU's sessions.</summary>
internal delegate GpuPlan GpuPlanner(ExtractionSpec spec, ExtractionOptions options, CutModel model, int missing);
