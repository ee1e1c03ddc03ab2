using System.Globalization;

namespace TransferPipeline.Tests.Inference.Gpu;

/// <summary>
/// What surrounds the kernels of ONNX Runtime's CUDA provider: options, libraries, copies, capture and replay, and what is said when memory
/// ends.
/// </summary>
public sealed class CudaStandInTests(CudaStandIn gpu) : IClassFixture<CudaStandIn>
{
    private string AllComputed => $@"\b{gpu.PhotoCount} computed";

    [Fact]
    public void Doctor_TriesTheGpuAndTellsVersionsAndWhatIsMissingForFusion()
    {
        var run = gpu.Run(null, "doctor", "--json")
            .MustSay(0, "a convolution and a matrix product run and their result is right")
            .MustSay(0, "libnvrtc.so.13");
        run.MustSay(0, @"libcudart\.so\.13 \(13\.0\)")
            .MustSay(0, "GPUs 0: Stub, compute capability 9.0, 80 GB")
            .MustSay(0, @"libcudnn\.so\.9 \(9\.14\.0\)");
    }

    /// <summary>As the installed tool with the package of the CUDA build beside it.</summary>
    [Fact]
    public void CpuBuild_WithTheCudaBuildInANamedFolder_UsesTheGpu()
    {
        gpu.RunCpuBuild("doctor", "--json")
            .MustSay(0, "CUDAExecutionProvider.*from .*native")
            .MustSay(0, "a convolution and a matrix product run and their result is right");
        var run = gpu.RunCpuBuild(Extraction());
        run.MustSay(0, AllComputed);
        Assert.Contains(run.Calls, c => c.EndsWith("-> GPU", StringComparison.Ordinal));
    }

    /// <summary>As users do who unpack the package beside the program.</summary>
    [Fact]
    public void CpuBuild_WithTheCudaBuildCopiedIntoItsFolder_UsesTheGpu() =>
        gpu.RunWithCopied(static _ => true, "doctor", "--json")
            .MustSay(0, "CUDAExecutionProvider")
            .MustSay(0, "a convolution and a matrix product run and their result is right");

    [Fact]
    public void CpuBuild_WithTheProvidersAloneCopied_NamesTheCure() =>
        gpu.RunWithCopied(static file => file.Contains("_providers_", StringComparison.Ordinal), Extraction())
            .MustSay(1, "for the CPU alone: (.* copy all files of the package there|searched: .*dotnet package download)");

    [Fact]
    public void Doctor_WithAFolderThatIsNotThere_NamesIt() =>
        gpu.Run(Variables("TRANSFER_CUDA_PATH", gpu.Libraries + ":/not/there"), "doctor")
            .MustSay(1, @"TRANSFER_CUDA_PATH +names /not/there, which does not exist");

    /// <summary>After an illegal address every call fails, and giving memory back would end the process from within ONNX Runtime.</summary>
    [Theory]
    [InlineData("fp32", 1)]
    [InlineData("fp32", 3)]
    [InlineData("fp16", 1)]
    public void Extract_WhenTheGpuIsLost_SaysSoAndKeepsWhatWasComputed(string precision, int batches)
    {
        string[] options = ["--device", "cuda", "--batch", "2", "--threads", "1", "--precision", precision];
        var copies = gpu.Extract(null, options)
            .MustSay(0, AllComputed)
            .Calls.Count(c => c.EndsWith("-> GPU", StringComparison.Ordinal) && !c.Contains(" GPU -> ", StringComparison.Ordinal));
        gpu.Extract(Variables("GPU_STUB_BREAKS", Text(copies - batches)), options)
            .MustSay(1, "CUDA (error|failure) 700.*what was computed is kept|device cuda:0 fails: CUDA failure 700");
    }

    [Fact]
    public void Doctor_WhenAGpuIsLost_SaysSo() => gpu.Run(Variables("GPU_STUB_BREAKS", "1"), "doctor").MustSay(1, "CUDA failure 700");

    /// <summary>
    /// cuDNN chooses and compiles kernels for each new shape: before the clock of a run starts, and once for all rounds of the benchmark.
    /// </summary>
    [Fact]
    public void Extract_ChoosesKernelsBeforeTheFirstPhoto()
    {
        var run = gpu.Extract(null, "--device", "cuda", "--batch", "4").MustSay(0, AllComputed);
        Assert.InRange(
            run.Calls.Reverse().TakeWhile(c => c != "cudnn plan").Count(c => c == "cudaMemcpy 602112 bytes pinned -> GPU"),
            gpu.PhotoCount / 4,
            int.MaxValue
        );
        var plans = Plans("1");
        Assert.NotEqual(0, plans);
        Assert.Equal(plans, Plans("3"));

        int Plans(string rounds) =>
            gpu.Run(
                    null,
                    "bench",
                    "extract",
                    "--json",
                    "--data",
                    gpu.Photos,
                    "--model",
                    "efficientnet-lite0",
                    "--device",
                    "cuda",
                    "--batch",
                    "4",
                    "--rounds",
                    rounds,
                    "--photos",
                    "10"
                )
                .MustSay(0, "\"session\"")
                .Calls.Count(c => c == "cudnn plan");
    }

    [Fact]
    public void Extract_CopiesBytesFromAndVectorsToPinnedMemory_AndWaitsForItsOwnBatchOnly()
    {
        var run = gpu.Extract(null, "--device", "cuda", "--batch", "4").MustSay(0, AllComputed);
        Assert.Contains("cudaMemcpy 602112 bytes pinned -> GPU", run.Calls);
        Assert.Contains("cudaMemcpy 20480 bytes GPU -> pinned", run.Calls);
        // Sessions wait for the whole GPU when they start.
        Assert.DoesNotContain("cudaDeviceSynchronize", run.Calls.SkipWhile(c => !c.EndsWith("pinned -> GPU", StringComparison.Ordinal)));
    }

    /// <summary>
    /// ONNX Runtime has a stream and handles for each thread that calls it: of the session's start and two lanes, whatever was tried
    /// before.
    /// </summary>
    [Fact]
    public void Extract_WithoutABatch_TriesSomeOnTheThreadsOfTheRun()
    {
        var run = gpu.Extract(null, "--device", "cuda").MustSay(0, AllComputed).MustSay(0, "batches of [0-9]+ photos");
        Assert.Equal(
            3,
            run.Log.Where(l => l.Contains(" cublasCreate ", StringComparison.Ordinal)).Select(l => l.Split(' ')[1]).Distinct().Count()
        );
    }

    [Theory]
    [InlineData("tf32")]
    [InlineData("fp16")]
    public void Extract_InLowerPrecision_MeasuresItsErrorAndHasAllNodesOnTheGpu(string precision)
    {
        gpu.Extract(null, "--device", "cuda", "--batch", "4", "--precision", precision).MustSay(0, $"{precision} against fp32");
        var nchw = gpu.Extract(null, "--device", "cuda", "--batch", "4", "--precision", precision, "--cuda-layout", "nchw")
            .MustSay(0, AllComputed);
        Assert.DoesNotContain("warning", nchw.Result.Error, StringComparison.Ordinal);
    }

    /// <summary>
    /// A convolution for which cuDNN has engines on tensor cores alone runs on them in fp32 too; then TensorFloat-32 must be forbidden to
    /// cuDNN itself.
    /// </summary>
    [Theory]
    [InlineData("fp32", "0")]
    [InlineData("tf32", "")]
    public void Extract_InFp32_ForbidsTensorFloat32ToNvidiasLibraries(string precision, string value)
    {
        var run = gpu.Extract(Variables("GPU_STUB_CUDNN", "tensor cores"), "--device", "cuda", "--batch", "20", "--precision", precision)
            .MustSay(0, AllComputed);
        var variables = run.Calls.Where(c => c.StartsWith("cublasCreate ", StringComparison.Ordinal)).Distinct();
        Assert.Equal([$"cublasCreate NVIDIA_TF32_OVERRIDE={value}"], variables);
        Assert.Contains("cudnn convolution", run.Calls);
    }

    [Theory]
    [InlineData("cuda:0")]
    [InlineData("cuda:0,1")]
    public void Extract_WithCudaGraphs_CapturesAndReplays(string gpus)
    {
        var two = Variables("GPU_STUB_COUNT", "2");
        var run = gpu.Extract(two, "--device", gpus, "--batch", "4", "--cuda-graphs", "on").MustSay(0, AllComputed);
        Assert.Contains("cudaGraphLaunch", run.Calls);
        gpu.Run(
                two,
                "bench",
                "extract",
                "--json",
                "--data",
                gpu.Photos,
                "--model",
                "efficientnet-lite0",
                "--device",
                gpus,
                "--cuda-graphs",
                "on",
                "--rounds",
                "2",
                "--photos",
                "10"
            )
            .MustSay(0, "\"session\"");
    }

    [Fact]
    public void Extract_OnTheSecondGpu_LeavesTheFirstAlone()
    {
        var run = gpu.Extract(Variables("GPU_STUB_COUNT", "2"), "--device", "cuda:1", "--batch", "4").MustSay(0, AllComputed);
        Assert.Equal(["cudaInitDevice 1 flags 4", "cudaSetDevice 1"], run.Calls.Take(2));
        Assert.Equal(["context on GPU 1"], run.Calls.Where(c => c.StartsWith("context ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Extract_OnAGpuThatIsNotThere_ListsThoseThatAre() =>
        gpu.Extract(Variables("GPU_STUB_COUNT", "2"), "--device", "cuda:2")
            .MustSay(1, @"there is no GPU 2: the driver shows 0 \(Stub\), 1 \(Stub\)");

    [Fact]
    public void Extract_WithAnOldDriver_NamesTheOneThatIsNeeded() =>
        gpu.Extract(Variables("GPU_STUB_DRIVER", "12040"), "--device", "cuda")
            .MustSay(1, "the NVIDIA driver is for CUDA 12.4 at most, CUDA 13 is needed");

    [Theory]
    [InlineData("100", "the NVIDIA driver is there but sees no GPU")]
    [InlineData("802", "nvidia-fabricmanager")]
    [InlineData("803", "of different versions")]
    [InlineData("999", "the NVIDIA driver refuses: cuInit gives error 999")]
    public void Extract_WithADriverThatRefuses_SaysWhy(string error, string said) =>
        gpu.Extract(Variables("GPU_STUB_INIT", error), "--device", "cuda").MustSay(1, $"device cuda:0 cannot be used: .*{said}");

    [Theory]
    [InlineData(200_000_000, "0", 0, "batches of [0-9]+ do not fit into the GPU's memory")]
    [InlineData(
        200_000_000,
        "64",
        1,
        @"does not fit into the memory of cuda:0 \(Failed to allocate memory for requested buffer of size [0-9]+[^)]*\); .* "
            + @"run again with a smaller --batch, such as 32\n"
    )]
    [InlineData(20_000_000, "0", 1, "Failed to allocate memory for requested buffer of size [0-9]+")]
    public void Extract_OnASmallGpu_TakesTheBatchThatFitsOrSaysWhatDoesNot(long memory, string batch, int exitCode, string pattern) =>
        gpu.Extract(Variables("GPU_STUB_MEMORY", memory.ToString(CultureInfo.InvariantCulture)), "--device", "cuda", "--batch", batch)
            .MustSay(exitCode, pattern);

    [Fact]
    public void Extract_WithALimitOfMemory_StaysBelowIt() =>
        gpu.Extract(null, "--device", "cuda", "--device-memory", "0.2").MustSay(0, "do not fit");

    /// <summary>With CUDA graphs a GPU has two sessions, whose memory counts together.</summary>
    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public void Extract_WithALimitOfMemory_TakesNoMoreInAll(string graphs)
    {
        var run = gpu.Extract(null, "--device", "cuda", "--device-memory", "0.4", "--cuda-graphs", graphs).MustSay(0, AllComputed);
        Assert.InRange(
            run.Calls.Where(c => c.StartsWith("cudaMalloc ", StringComparison.Ordinal))
                .Sum(c => long.Parse(c.Split(' ')[1], CultureInfo.InvariantCulture)),
            1,
            400_000_000
        );
    }

    /// <summary>
    /// As docs/gpu.md counts the passes over memory: one each for convolution, bias, activation and addition, or one less.
    /// </summary>
    [Theory]
    [InlineData("off", null, "cudnn convolution", 49)]
    [InlineData("on", null, "cudnn convolution+pointwise", 0)]
    [InlineData("on", "no fusion", "cudnn convolution", 49)]
    public void Extract_WithFusion_RunsTheBiasInTheConvolution(string fusion, string? cudnn, string convolution, int biases)
    {
        var environment = cudnn is null ? null : Variables("GPU_STUB_CUDNN", cudnn);
        var run = gpu.Extract(environment, "--device", "cuda", "--batch", "20", "--precision", "fp16", "--cuda-fusion", fusion)
            .MustSay(0, AllComputed);
        // The last batch alone: from its pixels to its vectors.
        var calls = run.Calls.Reverse().TakeWhile(c => !c.EndsWith("pinned -> GPU", StringComparison.Ordinal)).ToList();
        Assert.Equal(49, calls.Count(c => c == convolution));
        Assert.Equal(biases, calls.Count(c => c == "cudnnAddTensor"));
        Assert.DoesNotContain(calls, c => c.StartsWith("cudaMemset ", StringComparison.Ordinal));
        Assert.Equal(
            (33, 9),
            (
                calls.Count(c => c.Contains("Clip", StringComparison.Ordinal)),
                calls.Count(c => c.Contains("OP_Add", StringComparison.Ordinal))
            )
        );
    }

    /// <summary>Why fusion is not for nchw: each convolution clears a third operand, outside the stream of its batch.</summary>
    [Fact]
    public void Extract_WithFusionInNchw_IsRefused()
    {
        gpu.Extract(null, "--device", "cuda", "--batch", "20", "--precision", "fp16", "--cuda-layout", "nchw", "--cuda-fusion", "on")
            .MustSay(2, "CUDA fusion is for precision tf32 and fp16 with layout nhwc");
        gpu.Extract(null, "--device", "cuda", "--batch", "20", "--cuda-fusion", "on")
            .MustSay(2, "CUDA fusion is for precision tf32 and fp16 with layout nhwc");
        var run = gpu.Extract(
                Variables("TRANSFER_CUDA_OPTIONS", "fuse_conv_bias=1"),
                "--device",
                "cuda",
                "--batch",
                "20",
                "--precision",
                "fp16",
                "--cuda-layout",
                "nchw"
            )
            .MustSay(0, AllComputed);
        Assert.Contains("cudnn convolution+pointwise+pointwise", run.Calls);
        Assert.Contains(run.Calls, c => c.StartsWith("cudaMemset ", StringComparison.Ordinal));
    }

    [Fact]
    public void Extract_WhenAFusedConvolutionFails_SaysWhichOne() =>
        gpu.Extract(Variables("GPU_STUB_CUDNN", "fails"), "--device", "cuda", "--batch", "20", "--precision", "fp16", "--cuda-fusion", "on")
            .MustSay(1, "CUDNN_BACKEND_API_FAILED in Conv node /_conv_stem/Conv");

    [Fact]
    public void Extract_ByTensorRtThatIsNotThere_NamesItsLibraries() =>
        gpu.Extract(null, "--device", "tensorrt")
            .MustSay(1, "libnvinfer.so.10, libnvonnxparser.so.10 are missing.*: install TensorRT 10 for CUDA 13");

    [Fact]
    public void Extract_WithOptionsOfTheProvider_HandsThemOn()
    {
        gpu.Extract(Variables("TRANSFER_CUDA_OPTIONS", "fuse_conv_bias=1"), "--device", "cuda", "--batch", "4", "--precision", "fp16")
            .MustSay(0, AllComputed);
        gpu.Extract(Variables("TRANSFER_CUDA_OPTIONS", "fuse=1"), "--device", "cuda").MustSay(1, "Unknown provider option: \"fuse\"");
    }

    private string[] Extraction() =>
        ["extract", "--data", gpu.Photos, "--model", "efficientnet-lite0", "--device", "cuda", "--out", gpu.NewFolder()];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static Dictionary<string, string> Variables(string name, string value) => new() { [name] = value };
}
