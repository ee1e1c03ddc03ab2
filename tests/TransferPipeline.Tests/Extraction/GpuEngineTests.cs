using System.Numerics.Tensors;
using TransferPipeline.Backbones;
using TransferPipeline.Cli.Bench;
using TransferPipeline.Extraction;
using TransferPipeline.Features;
using TransferPipeline.Images.Augmentations;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;

namespace TransferPipeline.Tests.Extraction;

/// <summary>The way photos take to GPUs, with the CPU's sessions in their place: batches, order, failures and ends are the same.</summary>
public sealed class GpuEngineTests : IDisposable
{
    private readonly TestExtraction _extraction = new(3);

    public void Dispose() => _extraction.Dispose();

    [Fact]
    public void Run_TwoGpus_GivesTheRowsAndVectorsOfTheCpu()
    {
        File.WriteAllText(Path.Combine(_extraction.Photos, "train", "hat", "a-broken.jpg"), "no photo");
        _extraction.Options = _extraction.Options with { MaxFailedShare = 1 };
        _extraction.Run();
        var gpu = OnGpu(_extraction.At("gpu"), workers: 3, batch: 5);
        Assert.Equal((12, 1), (gpu.Computed, gpu.Failed));
        var (expected, actual) = (_extraction.Load(), Load(gpu));
        Assert.Equal(expected.Rows, actual.Rows);
        for (var i = 0; i < expected.Rows.Count; i++)
            Assert.InRange(
                TensorPrimitives.Distance<float>(expected.X.Row(i), actual.X.Row(i)) / TensorPrimitives.Norm<float>(expected.X.Row(i)),
                0,
                1e-5f
            );
    }

    /// <summary>Bytes normalized in float16, with means and deviations that float16 rounds, as in a GPU's fp16.</summary>
    [Fact]
    public void Run_InHalf_GivesVectorsNearThoseOfTheCpu()
    {
        _extraction.Preprocessing = _extraction.Preprocessing with
        {
            Divisor = 0,
            Mean = [0.485, 0.456, 0.406],
            Std = [0.229, 0.224, 0.225],
        };
        _extraction.Run();
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset);
        var half = HalfPrecision.Convert(job.OpenModel(), _ => { });
        var gpu = OnGpu(job with { OpenModel = () => half, Outputs = [job.Outputs[0] with { Folder = _extraction.At("half") }] }, 2, 5);
        var (expected, actual) = (_extraction.Load(), Load(gpu));
        for (var i = 0; i < expected.Rows.Count; i++)
            Assert.InRange(TensorPrimitives.CosineSimilarity<float>(expected.X.Row(i), actual.X.Row(i)), 0.9995f, 0.9999999f);
    }

    [Fact]
    public void Run_AtFixedAddresses_GivesTheBytesOfTheUsualWay()
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset);
        var usual = OnGpu(job with { Outputs = [job.Outputs[0] with { Folder = _extraction.At("usual") }] }, 2, 5);
        var graphs = OnGpu(
            job with
            {
                Outputs = [job.Outputs[0] with { Folder = _extraction.At("graphs") }],
                Device = new() { CudaGraphs = true },
            },
            2,
            5
        );
        Assert.Equal(12, graphs.Computed);
        Assert.Equal(Parts(usual), Parts(graphs));
    }

    [Fact]
    public void Run_WhenACopyToTheGpuIsLost_EndsBeforeTheFirstPhoto()
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with { Device = new() { CudaGraphs = true } };
        var error = Assert.Throws<JobFailedException>(() => OnGpu(job, 2, 5, memory: TensorMemory.Plain((_, _, _) => { })));
        Assert.Contains("--cuda-graphs off", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_extraction.Set, "*.parquet"));
    }

    [Fact]
    public void Run_WithoutSizes_FindsThemAndSaysSo()
    {
        var messages = new List<string>();
        _extraction.Options = _extraction.Options with { FewerWorkers = true, Message = messages.Add };
        var result = OnGpu(_extraction.At("gpu"), workers: 2, batch: 0);
        Assert.Equal(12, result.Computed);
        // Twelve photos: a batch is worth a trial, the number of threads is not.
        Assert.Matches(@"^batches of 8 photos \(tried 8: \d+/s\); --batch 8 skips the trial$", Assert.Single(messages));
    }

    [Fact]
    public void Create_ForManyPhotos_AlsoFindsHowManyThreadsDecode()
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with { Device = new() { Gpus = [0] } };
        var messages = new List<string>();
        var options = new ExtractionOptions
        {
            Workers = 4,
            Batch = 2,
            FewerWorkers = true,
            Message = messages.Add,
        };
        using var engine = new GpuEngine(
            job.Device,
            GpuPlan.Measure(job, options, job.OpenModel(), missing: 100_000, (bytes, _) => SessionFactory.Create(bytes, new()))
        );
        Assert.Equal(2, engine.Plan.BatchSize);
        Assert.InRange(engine.Decoders, 1, 4);
        Assert.StartsWith($"{engine.Decoders} of 4 threads decode for ", Assert.Single(messages), StringComparison.Ordinal);
        Assert.EndsWith($"--threads {engine.Decoders} skips the trial", messages[0], StringComparison.Ordinal);
        using var given = new GpuEngine(
            job.Device,
            GpuPlan.Measure(
                job,
                options with
                {
                    FewerWorkers = false,
                },
                job.OpenModel(),
                missing: 100_000,
                (bytes, _) => SessionFactory.Create(bytes, new())
            )
        );
        Assert.Equal(4, given.Decoders);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Measure_ComputesThePhotosOnAllLanes(bool graphs)
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with { Device = new() { CudaGraphs = graphs } };
        var result = ExtractionBenchmark.Run(
            job,
            photos: 8,
            _extraction.At("scratch"),
            new() { Workers = 2, Batch = 3 },
            rounds: 1,
            (spec, options, model, missing) =>
                GpuPlan.Measure(
                    spec,
                    options,
                    model,
                    missing,
                    (bytes, _) => SessionFactory.Create(bytes, new()),
                    (_, _) => TensorMemory.Plain()
                ),
            TestContext.Current.CancellationToken
        );
        Assert.Equal((8, 2), (result.Photos, result.Threads));
        Assert.StartsWith("cpu, 2 batches in flight per GPU, batch 3", result.BestLayout, StringComparison.Ordinal);
        Assert.Equal(graphs, result.BestLayout.EndsWith("CUDA graphs", StringComparison.Ordinal));
        Assert.Equal(Math.Min(result.Decode, result.Session), result.Bound);
        Assert.Equal(result.Achieved / result.Bound, result.Ratio);
        Assert.All([result.Decode, result.Feed, result.Session, result.Achieved], rate => Assert.InRange(rate, 0.01, 1e6));
        Assert.False(Directory.Exists(_extraction.At("scratch")));
    }

    [Fact]
    public void Measure_WhenALaneFails_EndsWithItsError()
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with { Device = new() { CudaGraphs = true } };
        using var engine = new GpuEngine(
            job.Device,
            GpuPlan.Measure(
                job,
                new() { Batch = 2 },
                job.OpenModel(),
                8,
                (bytes, _) => SessionFactory.Create(bytes, new()),
                (_, _) => TensorMemory.Plain((_, _, _) => { })
            )
        );
        Assert.Contains(
            "--cuda-graphs off",
            Assert.Throws<JobFailedException>(() => new GpuSessionBenchmark(engine).Measure(8)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Run_WithOtherThreads_WritesTheSameBytes()
    {
        var one = OnGpu(_extraction.At("one"), workers: 1, batch: 4);
        var four = OnGpu(_extraction.At("four"), workers: 4, batch: 4);
        Assert.Equal(Parts(one), Parts(four));
    }

    [Fact]
    public void Run_BatchesLargerThanParts_DoNotWaitForEachOther()
    {
        // Parts of three rows and batches of eleven: several parts are open until a batch is full, and the last is never full.
        var result = OnGpu(_extraction.At("gpu"), workers: 2, batch: 11);
        Assert.Equal(12, result.Computed);
        Assert.Equal(4, FeatureSet.Open(result.Folder, _extraction.Table).Manifest.Parts.Count);
    }

    [Fact]
    public void Run_WithViews_GivesThoseOfTheCpu()
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with
        {
            Views = AugmentedViews.Of(2, [new RandomHorizontalFlip()], _extraction.Preprocessing, 7),
        };
        _extraction.Run(job, _extraction.Options);
        var expected = _extraction.Load();
        var gpu = OnGpu(job with { Outputs = [job.Outputs[0] with { Folder = _extraction.At("gpu") }] }, 2, 5);
        var actual = Load(gpu);
        Assert.Equal(24, actual.Rows.Count);
        Assert.Equal(expected.Rows, actual.Rows);
        for (var i = 0; i < 24; i++)
            Assert.InRange(TensorPrimitives.CosineSimilarity<float>(expected.X.Row(i), actual.X.Row(i)), 0.99999f, 1.00001f);
    }

    [Fact]
    public void Run_Cancelled_KeepsWhatWasReadyAndGoesOn()
    {
        using var stop = new CancellationTokenSource();
        _extraction.Decoder.Before = photo =>
        {
            if (photo == 7)
                stop.Cancel();
        };
        Assert.ThrowsAny<OperationCanceledException>(() => OnGpu(_extraction.At("gpu"), workers: 1, batch: 5, stop.Token));
        _extraction.Decoder.Before = static _ => { };
        var kept = FeatureSet.Open(_extraction.At("gpu"), _extraction.Table);
        Assert.False(kept.Manifest.Complete);
        Assert.InRange(kept.Rows, 5, 9);
        var rest = OnGpu(_extraction.At("gpu"), workers: 2, batch: 5);
        Assert.Equal((kept.Rows, 12), (rest.Reused, rest.Reused + rest.Computed));
    }

    [Fact]
    public void Run_WhenABatchFails_EndsWithItsError()
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset);
        var other = job.OpenModel();
        // The session is of a graph without that output: every batch fails.
        job = job with
        {
            OpenModel = () => other with { Outputs = [other.Outputs[0] with { Name = "nothing" }] },
        };
        var error = Assert.Throws<Microsoft.ML.OnnxRuntime.OnnxRuntimeException>(() => OnGpu(job, 2, 4));
        Assert.Contains("nothing", error.Message, StringComparison.Ordinal);
    }

    private ExtractionResult OnGpu(string folder, int workers, int batch, CancellationToken? cancellation = null)
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset);
        return OnGpu(job with { Outputs = [job.Outputs[0] with { Folder = folder }] }, workers, batch, cancellation);
    }

    private ExtractionResult OnGpu(
        ExtractionSpec job,
        int workers,
        int batch,
        CancellationToken? cancellation = null,
        TensorMemory? memory = null
    ) =>
        Extractor.Run(
            job with
            {
                Device = job.Device with { Gpus = [0, 1] },
            },
            _extraction.Options with
            {
                Workers = workers,
                Batch = batch,
            },
            (spec, options, model, missing) =>
                new GpuEngine(
                    spec.Device,
                    GpuPlan.Measure(
                        spec,
                        options,
                        model,
                        missing,
                        (bytes, _) => SessionFactory.Create(bytes, new()),
                        (_, _) => memory ?? TensorMemory.Plain()
                    )
                ),
            cancellation ?? TestContext.Current.CancellationToken
        )[0];

    private FeatureData Load(ExtractionResult result) => FeatureSet.Open(result.Folder, _extraction.Table).Load();

    private IEnumerable<string> Parts(ExtractionResult result) =>
        FeatureSet.Open(result.Folder, _extraction.Table).Manifest.Parts.Select(p => p.Sha256);
}
