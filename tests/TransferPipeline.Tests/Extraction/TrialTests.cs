using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TransferPipeline.Backbones;
using TransferPipeline.Extraction;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;
using TransferPipeline.Tests.Backbones;

namespace TransferPipeline.Tests.Extraction;

/// <summary>The trials that choose a GPU's batch and the number of decoding threads, on synthetic rates and on CPU sessions.</summary>
public sealed class TrialTests
{
    private static readonly Func<long?> Unknown = static () => null;

    [Fact]
    public void BatchTrial_TakesTheSmallestBatchThatIsNearlyAsFastAsAny()
    {
        var trial = BatchTrial.Run(size => Math.Min(2000, size * 40), Unknown, largest: 10_000);
        Assert.Equal(64, trial.Best.Batch);
        Assert.Equal([8, 16, 32, 64, 128, 256], trial.Tried.Select(t => t.Batch));
        Assert.Null(trial.Limit);
    }

    [Theory]
    [InlineData(1, new[] { 1 })]
    [InlineData(20, new[] { 8, 16 })]
    [InlineData(100_000, new[] { 8, 16, 32, 64, 128, 256, 512 })]
    public void BatchTrial_TriesNoLargerBatchThanIsOfUse(int largest, int[] sizes) =>
        Assert.Equal(sizes, BatchTrial.Run(size => size, Unknown, largest).Tried.Select(t => t.Batch));

    [Fact]
    public void BatchTrial_WhenABatchDoesNotFit_TakesASmallerOneAndSaysSo()
    {
        var trial = BatchTrial.Run(size => size > 32 ? ExhaustMemory() : size, Unknown, largest: 512);
        Assert.Equal(32, trial.Best.Batch);
        Assert.Equal("tried 8: 8/s, 16: 16/s, 32: 32/s; batches of 64 do not fit into the GPU's memory", trial.ToString());
    }

    [Fact]
    public void BatchTrial_WhenTheFirstDoesNotFit_GoesDown()
    {
        var trial = BatchTrial.Run(size => size > 2 ? ExhaustMemory() : size, Unknown, largest: 512);
        Assert.Equal(new(2, 2), Assert.Single(trial.Tried));
        Assert.Equal("batches of 4 do not fit into the GPU's memory", trial.Limit);
    }

    [Fact]
    public void BatchTrial_WhenNotOnePhotoFits_IsAnErrorThatNamesTheCure()
    {
        var error = Assert.Throws<JobFailedException>(() => BatchTrial.Run(_ => ExhaustMemory(), Unknown, largest: 512));
        Assert.StartsWith("not even one photo at a time fits into the GPU's memory", error.Message, StringComparison.Ordinal);
        Assert.Contains("end what else uses the GPU", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void BatchTrial_OfAnotherError_DoesNotHideIt() =>
        Assert.Throws<JobFailedException>(() =>
            BatchTrial.Run(size => size == 16 ? throw new JobFailedException("broken") : size, Unknown, largest: 512)
        );

    [Fact]
    public void BatchTrial_StopsWhereTheNextBatchMayTakeMoreThanIsFree()
    {
        // 10 GB, 10 MB per photo of a batch and nothing given back: after 256 photos per batch 5.0 GB are left, which 512 would take.
        var free = 10_000_000_000L;
        var trial = BatchTrial.Run(
            size =>
            {
                free -= size * 10_000_000L;
                return size;
            },
            () => free,
            largest: 512
        );
        Assert.Equal(256, trial.Best.Batch);
        Assert.Equal("batches of 512 would take more than the 5.0 GB that are free", trial.Limit);
    }

    [Theory]
    [InlineData("[ErrorCode:RuntimeException] Failed to allocate memory for requested buffer of size 6442450944", true)]
    [InlineData("[ErrorCode:RuntimeException] Available memory of 12 is smaller than requested bytes of 4096", true)]
    [InlineData("[ErrorCode:Fail] CUDA failure 2: out of memory ; GPU=0", true)]
    [InlineData("[ErrorCode:Fail] CUDNN failure 4002: CUDNN_STATUS_ALLOC_FAILED", true)]
    [InlineData("[ErrorCode:Fail] CUDNN failure 4003: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", true)]
    [InlineData("[ErrorCode:Fail] CUDA failure 700: an illegal memory access was encountered", false)]
    [InlineData("[ErrorCode:InvalidArgument] Got invalid dimensions for input", false)]
    public void IsExhausted_TellsMemoryFromOtherErrors(string message, bool exhausted) =>
        Assert.Equal(exhausted, GpuErrors.IsExhausted(message));

    [Theory]
    [InlineData(
        "[ErrorCode:ShapeInferenceNotRegistered] Non-zero status code returned while running Conv node. Name:'/stem/Conv' Status "
            + "Message: OP not supported by CUDNN Frontend: /src/cudnn_fe_call.cc:117 std::conditional_t<THRW, void, Status> "
            + "CudaCall() [with ERRTYPE = error_object; bool THRW = true] CUDNN_FE failure 6: GRAPH_EXECUTION_PLAN_CREATION_FAILED ; "
            + "GPU=0 ; hostname=box ; line=248\n\n with the json",
        "CUDNN_FE failure 6: GRAPH_EXECUTION_PLAN_CREATION_FAILED in Conv node /stem/Conv"
    )]
    [InlineData(
        "[ErrorCode:Fail] /src/cuda_call.cc:129 [with ERRTYPE = cudaError] CUDA failure 209: no kernel image is available for "
            + "execution on the device ; GPU=0 ; line=1",
        "CUDA failure 209: no kernel image is available for execution on the device: this build of ONNX Runtime has no code for the "
            + "GPU's compute capability, see docs/gpu.md; a bundle made with CUDA_ARCH= has that of one alone"
    )]
    [InlineData(
        "[ErrorCode:Fail] /src/bfc_arena.cc:359 void* AllocateRawInternal() Failed to allocate memory for requested buffer of size "
            + "38535168\n",
        "Failed to allocate memory for requested buffer of size 38535168"
    )]
    [InlineData("[ErrorCode:InvalidArgument] Got invalid dimensions\nfor input", "Got invalid dimensions")]
    public void Brief_LeavesOutTheSignaturesAroundTheError(string message, string brief) =>
        Assert.Equal(brief, GpuErrors.Brief(new InvalidOperationException(message)));

    [Fact]
    public void Run_OfAnotherErrorOfAGpu_IsOneLine()
    {
        var device = new DeviceOptions { Provider = Provider.Cuda, Gpus = [1] };
        var error = Assert.Throws<JobFailedException>(() => GpuErrors.Run(() => Broken(), device));
        Assert.StartsWith("device cuda:1 fails: ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("; 'transfer doctor' tries each GPU", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        // On the CPU such an error is a bug, whose trace is wanted.
        Assert.Throws<OnnxRuntimeException>(() => GpuErrors.Run(() => Broken(), new()));

        static void Broken() => new InferenceSession("no graph"u8.ToArray()).Dispose();
    }

    [Fact]
    public void Guard_OfExhaustedMemory_NamesASmallerBatch()
    {
        var device = new DeviceOptions { Provider = Provider.Cuda, Gpus = [1] };
        var error = Assert.Throws<JobFailedException>(() => GpuErrors.Run(() => ExhaustMemory(), 256, device));
        Assert.StartsWith("a batch of 256 photos does not fit into the memory of cuda:1 (", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("run again with a smaller --batch, such as 128", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Throws<UsageException>(() => GpuErrors.Run(() => throw new UsageException("other"), 256, device));
    }

    [Fact]
    public void FeederTrial_TakesAsFewThreadsAsFeedTheGpus()
    {
        var trial = ProducerTrial.Run(threads => threads * 300, needed: 900, most: 16);
        Assert.Equal(4, trial.Best);
        Assert.Equal("tried 16: 4800/s, 8: 2400/s, 4: 1200/s, 2: 600/s", trial.ToString());
    }

    [Fact]
    public void FeederTrial_WhenNoneFeedTheGpus_TakesAsFewAsAreNearlyAsFastAsAny()
    {
        Assert.Equal(16, ProducerTrial.Run(threads => threads * 300, needed: 1e6, most: 16).Best);
        // Eight cores that are two threads each: the second ones bring nothing.
        Assert.Equal(8, ProducerTrial.Run(threads => Math.Min(8, threads) * 300, needed: 1e6, most: 16).Best);
        Assert.Equal(1, ProducerTrial.Run(_ => 300, needed: 1e6, most: 5).Best);
    }

    [Fact]
    public void OfGpu_RunsAllLanesAtTheBatch()
    {
        using var folder = new TempFolder();
        var model = PixelInput.Apply(SmallModel.Cut(folder), new());
        using var session = SessionFactory.Create(model, new());
        using var memory = TensorMemory.Plain();
        using GpuThread first = new(() => { }),
            second = new(() => { });
        GpuLane[] lanes = [new(session, 0, memory, first), new(session, 0, memory, second)];
        Assert.True(TrialRates.OfGpu(lanes, memory, model, 4) > 0);
        var error = Assert.Throws<OnnxRuntimeException>(() => TrialRates.OfGpu(lanes, memory, model with { InputName = "nothing" }, 4));
        Assert.Contains("nothing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OfDecoding_ReadsOnWhereTheLastTrialEnded()
    {
        using var extraction = new TestExtraction(2);
        File.WriteAllText(Path.Combine(extraction.Photos, "train", "hat", "a-broken.jpg"), "no photo");
        using var dataset = extraction.OpenDataset();
        var next = 3;
        Assert.True(TrialRates.OfDecoding(extraction.Job(dataset), threads: 2, ref next) > 0);
        Assert.Equal(extraction.Decoder.Count, next - 3);
        Assert.True(next > 4, "each thread decodes at least one photo");
    }

    /// <summary>More than any machine has: what ONNX Runtime throws then is real.</summary>
    private static double ExhaustMemory()
    {
        OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Float, [1L << 50]).Dispose();
        return 0;
    }
}
