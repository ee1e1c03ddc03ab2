using System.Diagnostics;
using TransferPipeline.Backbones;
using TransferPipeline.Datasets;
using TransferPipeline.Images;

namespace TransferPipeline.Features;

/// <summary>How fast an extraction is beside what its parts could do, all from one run on one machine; rates are photos a second.</summary>
public sealed record ExtractionBenchmarkResult
{
    public required int Photos { get; init; }

    public required int Threads { get; init; }

    /// <summary>Reading and decoding alone, on all threads.</summary>
    public required double Decode { get; init; }

    /// <summary>The session alone, fed the same pixels again and again, by layout of sessions, threads and batch.</summary>
    public required IReadOnlyDictionary<string, double> Layouts { get; init; }

    /// <summary>The best of <see cref="Layouts"/>, measured again in each round.</summary>
    public required double Session { get; init; }

    public required string BestLayout { get; init; }

    /// <summary>1 / (1 / Decode + 1 / Session): what remains when nothing but decoding and inference costs time.</summary>
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
    public static ExtractionBenchmarkResult Run(ExtractionJob job, int photos, string scratch, ExtractionOptions? options = null, int rounds = 3, CancellationToken cancellation = default)
    {
        options ??= new();
        using var sample = new DatasetSample(job.Dataset, photos);
        var model = job.OpenModel();
        job = job with { Dataset = sample, OpenModel = () => model, Views = null };
        var threads = options.Workers;
        try
        {
            Directory.CreateDirectory(scratch);
            return Measure(job, model, scratch, options, threads, rounds, cancellation);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static ExtractionBenchmarkResult Measure(ExtractionJob job, CutModel model, string scratch, ExtractionOptions options, int threads, int rounds, CancellationToken cancellation)
    {
        var count = job.Dataset.Entries.Count;
        // Compiles the code, fills the page cache, and is not counted.
        Decode(job, threads);
        Extract(job, Path.Combine(scratch, "warm"), options, cancellation);
        var layouts = new Dictionary<string, double>();
        var best = default(SessionBenchmark.Layout);
        foreach (var layout in SessionBenchmark.Layouts(threads, model.MaxBatch))
        {
            cancellation.ThrowIfCancellationRequested();
            using var session = new SessionBenchmark(model, job.Device, layout);
            var rate = Math.Max(session.Measure(Math.Min(count, 64)).PerSecond, session.Measure(Math.Min(count, 128)).PerSecond);
            layouts[layout.ToString()] = rate;
            if (best.Batch == 0 || rate > layouts[best.ToString()])
                best = layout;
        }

        var (decode, infer, achieved) = (new Best(), new Best(), new Best());
        var shares = default(TimeShares);
        using (var session = new SessionBenchmark(model, job.Device, best))
        {
            session.Measure(Math.Min(count, 64));
            for (var round = 0; round < rounds; round++)
            {
                cancellation.ThrowIfCancellationRequested();
                decode.Take(Decode(job, threads));
                infer.Take(session.Measure(count));
                if (achieved.Take(Extract(job, Path.Combine(scratch, $"round{round}"), options, cancellation, out var now)))
                    shares = now;
            }
        }

        var bound = 1 / (1 / decode.PerSecond + 1 / infer.PerSecond);
        return new()
        {
            Photos = count,
            Threads = threads,
            Decode = decode.PerSecond,
            Layouts = layouts,
            Session = infer.PerSecond,
            BestLayout = best.ToString(),
            Bound = bound,
            Achieved = achieved.PerSecond,
            Shares = shares,
            Ratio = achieved.PerSecond / bound,
            ProcessorRatio = (decode.ProcessorSeconds + infer.ProcessorSeconds) / achieved.ProcessorSeconds,
        };
    }

    private static Rate Decode(ExtractionJob job, int threads)
    {
        var next = -1;
        return Rate.Measure(job.Dataset.Entries.Count, () => Together(threads, () =>
        {
            var (encoded, photo) = (new byte[1 << 18], new RgbImage());
            for (int i; (i = Interlocked.Increment(ref next)) < job.Dataset.Entries.Count;)
            {
                var length = job.Dataset.Read(i, ref encoded);
                try
                {
                    job.Decoder.Decode(encoded.AsSpan(0, length), job.Decode, photo);
                }
                catch (ImageDecodeException)
                {
                    // The extraction tries the same photos, and lists those that fail.
                }
            }
        }));
    }

    private static void Extract(ExtractionJob job, string folder, ExtractionOptions options, CancellationToken cancellation) =>
        Extract(job, folder, options, cancellation, out _);

    private static Rate Extract(ExtractionJob job, string folder, ExtractionOptions options, CancellationToken cancellation, out TimeShares shares)
    {
        job = job with { Outputs = [.. job.Outputs.Select((o, i) => o with { Folder = $"{folder}-{i}" })] };
        var last = new LastProgress();
        var result = Extractor.Run(job, options with { Progress = last, Shard = Shard.Whole, MaxFailedShare = 1 }, cancellation)[0];
        shares = last.Value?.Shares ?? default;
        return new(job.Dataset.Entries.Count, result.ComputeSeconds, result.ComputeProcessorSeconds);
    }

    internal static void Together(int threads, Action body)
    {
        var all = Enumerable.Range(1, threads - 1).Select(_ => new Thread(() => body()) { IsBackground = true }).ToList();
        all.ForEach(t => t.Start());
        body();
        all.ForEach(t => t.Join());
    }

    private sealed class LastProgress : IProgress<ExtractionProgress>
    {
        public ExtractionProgress? Value { get; private set; }

        public void Report(ExtractionProgress value) => Value = value;
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

/// <summary>Photos, the wall time that they took, and the processor time of all threads of this program.</summary>
internal readonly record struct Rate(int Photos, double Seconds, double ProcessorSeconds)
{
    public double PerSecond => Photos / Seconds;

    public static Rate Measure(int photos, Action body)
    {
        var (clock, processor) = (Stopwatch.StartNew(), Processor);
        body();
        return new(photos, clock.Elapsed.TotalSeconds, Processor - processor);
    }

    public static double Processor
    {
        get
        {
            var usage = Environment.CpuUsage;
            return usage.TotalTime.TotalSeconds;
        }
    }
}

/// <summary>At most a given number of a dataset's photos, spread evenly over it.</summary>
internal sealed class DatasetSample : Dataset
{
    private readonly Dataset _dataset;
    private readonly int[] _indices;

    public DatasetSample(Dataset dataset, int photos)
    {
        _dataset = dataset;
        var count = Math.Min(photos, dataset.Entries.Count);
        _indices = [.. Enumerable.Range(0, count).Select(i => (int)((long)i * dataset.Entries.Count / count))];
        Entries = [.. _indices.Select(i => dataset.Entries[i])];
    }

    public override string Source => _dataset.Source;

    public override IReadOnlyList<string> Classes => _dataset.Classes;

    public override IReadOnlyList<PhotoEntry> Entries { get; }

    public override IReadOnlyList<DatasetProblem> Problems => _dataset.Problems;

    public override PhotoStamp Stamp(int index) => _dataset.Stamp(_indices[index]);

    public override int Read(int index, ref byte[] buffer) => _dataset.Read(_indices[index], ref buffer);
}
