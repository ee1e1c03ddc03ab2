using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Cli.Bench;
using TransferPipeline.Extraction;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;
using TransferPipeline.Onnx;
using TransferPipeline.Tests.Backbones;
using TransferPipeline.Tests.Extraction;

namespace TransferPipeline.Tests.Inference.Gpu;

/// <summary>
/// The trial that decides whether a GPU's convolutions add their bias themselves; the CPU's sessions stand for both ways.
/// </summary>
public sealed class FusionTests : IDisposable
{
    private readonly TestExtraction _extraction = new(1, "hat");
    private readonly TempFolder _folder = new();
    private readonly List<CudaFusion> _asked = [];
    private readonly List<string> _messages = [];

    public void Dispose()
    {
        _extraction.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Trial_TakesFusionWhereItIsFasterAndGivesTheSameVectors()
    {
        Assert.True(new FusionTrial(1000, 1100, 0.001).Wins);
        Assert.False(new FusionTrial(1000, 1010, 0.001).Wins);
        Assert.False(new FusionTrial(1000, 2000, 0.05).Wins);
        Assert.False(new FusionTrial(1000, 2000, double.NaN).Wins);
        Assert.False(new FusionTrial(1000, 2000, 0, "broken").Wins);
        Assert.Equal(
            "convolutions add their bias themselves (1100/s, without 1000/s; distance 1.0e-3 of a vector's length); --cuda-fusion on "
                + "skips the trial",
            new FusionTrial(1000, 1100, 0.001).ToString()
        );
        Assert.Contains(
            "do not add their bias themselves, as that gives other vectors (distance NaN",
            new FusionTrial(1000, 2000, double.NaN).ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Create_ForManyPhotos_TriesFusionOnceAndKeepsWhatItSays()
    {
        using var engine = Engine(new() { Precision = Precision.Fp16, Gpus = [0, 1] }, (bytes, _) => SessionFactory.Create(bytes, new()));
        Assert.StartsWith(
            engine.Plan.Fusion == CudaFusion.On
                ? "convolutions add their bias themselves ("
                : "convolutions do not add their bias themselves (",
            _messages[^1],
            StringComparison.Ordinal
        );
        // Two GPUs apart, two with it, and apart again where it is not faster.
        Assert.Equal(
            engine.Plan.Fusion == CudaFusion.On
                ? [CudaFusion.Off, CudaFusion.Off, CudaFusion.On, CudaFusion.On]
                : [CudaFusion.Off, CudaFusion.Off, CudaFusion.On, CudaFusion.On, CudaFusion.Off, CudaFusion.Off],
            _asked
        );
        Assert.InRange(new GpuSessionBenchmark(engine).Measure(8).PerSecond, 1, 1e7);
    }

    [Fact]
    public void Create_WhenFusionFails_GoesOnWithoutAndSaysWhy()
    {
        using var engine = Engine(
            new() { Precision = Precision.Fp16 },
            (bytes, device) =>
                device.CudaFusion == CudaFusion.On ? new InferenceSession("no graph"u8.ToArray()) : SessionFactory.Create(bytes, new())
        );
        Assert.Equal(CudaFusion.Off, engine.Plan.Fusion);
        Assert.Matches(
            @"^convolutions do not add their bias themselves, as that fails \(.+\); --cuda-fusion off skips the trial$",
            _messages[^1]
        );
        Assert.InRange(new GpuSessionBenchmark(engine).Measure(8).PerSecond, 1, 1e7);
    }

    [Fact]
    public void Create_WhenFusionGivesOtherVectors_GoesOnWithoutAndSaysSo()
    {
        using var engine = Engine(
            new() { Precision = Precision.Fp16 },
            (bytes, device) =>
                SessionFactory.Create(device.CudaFusion == CudaFusion.On ? bytes with { Model = Other(bytes) } : bytes, new())
        );
        Assert.Equal(CudaFusion.Off, engine.Plan.Fusion);
        Assert.Contains("as that gives other vectors", _messages[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CudaFusion.Auto, Precision.Fp32, 0, 100_000, CudaFusion.Off)]
    [InlineData(CudaFusion.Auto, Precision.Fp16, 8, 100_000, CudaFusion.Off)]
    [InlineData(CudaFusion.Auto, Precision.Fp16, 0, 100, CudaFusion.Off)]
    [InlineData(CudaFusion.Off, Precision.Fp16, 0, 100_000, CudaFusion.Off)]
    [InlineData(CudaFusion.On, Precision.Fp16, 0, 100_000, CudaFusion.On)]
    public void Create_WithoutATrial_TakesWhatIsGiven(CudaFusion fusion, Precision precision, int batch, int missing, CudaFusion taken)
    {
        using var engine = Engine(
            new() { Precision = precision, CudaFusion = fusion },
            (bytes, _) => SessionFactory.Create(bytes, new()),
            batch,
            missing
        );
        Assert.Equal(taken, engine.Plan.Fusion);
        Assert.Equal([taken], _asked);
        Assert.DoesNotContain(_messages, m => m.Contains("bias", StringComparison.Ordinal));
    }

    private GpuEngine Engine(
        DeviceOptions device,
        Func<CutModel, DeviceOptions, InferenceSession> create,
        int batch = 0,
        int missing = 100_000
    )
    {
        using var dataset = _extraction.OpenDataset();
        var job = _extraction.Job(dataset) with { Device = device };
        var options = new ExtractionOptions
        {
            Workers = 1,
            Batch = batch,
            Message = _messages.Add,
        };
        return new(
            device,
            GpuPlan.Measure(
                job,
                options,
                SmallModel.Cut(_folder),
                missing,
                (bytes, gpu) =>
                {
                    _asked.Add(gpu.CudaFusion);
                    return create(bytes, gpu);
                }
            )
        );
    }

    /// <summary>The same network with its last weights negated.</summary>
    private static ModelProto Other(CutModel bytes)
    {
        var proto = bytes.Model.Clone();
        var weights = proto.Graph.Initializer.Last(i => i.Dims.Count == 4);
        var values = TensorData.Floats(weights);
        var negated = TensorData.Of(weights.Name, [.. values.Select(v => -v)], [.. weights.Dims]);
        proto.Graph.Initializer[proto.Graph.Initializer.IndexOf(weights)] = negated;
        return proto;
    }
}
