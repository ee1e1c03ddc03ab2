using TransferPipeline.Backbones;
using TransferPipeline.Extraction;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;
using TransferPipeline.Tests.Backbones;
using TransferPipeline.Tests.Extraction;

namespace TransferPipeline.Tests.Inference.Gpu;

/// <summary>
/// What surrounds CUDA graphs, on the CPU: tensors at fixed addresses that are bound once, copies to them and back, and the proof that
/// stale ones are found. The CPU's sessions capture nothing, so that a replay itself is not tested here.
/// </summary>
public sealed class GraphRunnerTests : IDisposable
{
    private const int Size = 3;

    private readonly TempFolder _folder = new();
    private readonly CutModel _model;
    private readonly Microsoft.ML.OnnxRuntime.InferenceSession _session;
    private readonly TensorMemory _host = TensorMemory.Plain();
    private readonly BatchTensors _batch;

    public GraphRunnerTests()
    {
        _model = PixelInput.Apply(SmallModel.Cut(_folder), new());
        _session = SessionFactory.Create(_model, new());
        _batch = new(_host, _model, Size);
    }

    public void Dispose()
    {
        _batch.Dispose();
        _session.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Run_OfOneBatchAfterAnother_GivesTheVectorsOfEach()
    {
        using var plain = new BoundRunner(_session, _model, _host, Size);
        using var fixedPlace = new GraphRunner(_session, _model, _host, Size);
        float[]? last = null;
        foreach (var seed in (int[])[1, 2, 1])
        {
            new Random(seed).NextBytes(_batch.Input.GetTensorMutableDataAsSpan<byte>());
            plain.Run(_batch);
            var expected = Vectors();
            _batch.Outputs[0].GetTensorMutableDataAsSpan<float>().Clear();
            fixedPlace.Run(_batch);
            Assert.Equal(expected, Vectors());
            Assert.NotEqual(last, expected);
            last = expected;
        }
    }

    [Fact]
    public void Prove_WhenAllIsCopied_Passes()
    {
        using var runner = new GraphRunner(_session, _model, _host, Size);
        runner.Prove(_batch);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Prove_WhenACopyIsLost_IsAnErrorThatNamesTheCure(int lost)
    {
        // After the four copies of two batches without a graph, those with it: pixels there, vectors back, pixels there, vectors back.
        var copies = -4;
        using var memory = TensorMemory.Plain(Copy);
        using var runner = new GraphRunner(_session, _model, memory, Size);
        var error = Assert.Throws<JobFailedException>(() => runner.Prove(_batch));
        Assert.Contains("CUDA graphs give other vectors", error.Message, StringComparison.Ordinal);
        Assert.Contains("--cuda-graphs off", error.Message, StringComparison.Ordinal);

        unsafe void Copy(nint destination, nint source, long bytes)
        {
            if (++copies != lost)
                Buffer.MemoryCopy((void*)source, (void*)destination, bytes, bytes);
        }
    }

    [Fact]
    public void Gate_LetsNobodyRunBeforeAllHaveCaptured_AndWaitsForNoneThatFailed()
    {
        using var gate = new CaptureGate(3);
        var (captured, early, failed) = (0, 0, 0);
        var threads = Enumerable
            .Range(0, 3)
            .Select(i => new Thread(() =>
            {
                try
                {
                    gate.Pass(() =>
                    {
                        Thread.Sleep(20);
                        Interlocked.Increment(ref captured);
                        if (i == 1)
                            throw new JobFailedException("no capture");
                    });
                    if (Volatile.Read(ref captured) < 3)
                        Interlocked.Increment(ref early);
                }
                catch (JobFailedException)
                {
                    Interlocked.Increment(ref failed);
                }
            }))
            .ToList();
        threads.ForEach(t => t.Start());
        Assert.All(threads, t => Assert.True(t.Join(TimeSpan.FromSeconds(20)), "a lane waits for ever"));
        Assert.Equal((3, 0, 1), (captured, early, failed));
    }

    private float[] Vectors() => _batch.Outputs[0].GetTensorDataAsSpan<float>().ToArray();
}
