using System.Globalization;

namespace TransferPipeline.Tests.Features.Cards;

/// <summary>What surrounds the kernels of ONNX Runtime's CUDA provider: options, libraries, copies, capture and replay, and what is said when memory ends.</summary>
public sealed class CudaStandInTests(CudaStandIn card) : IClassFixture<CudaStandIn>
{
    private string AllComputed => $@"\b{card.PhotoCount} computed";

    [Fact]
    public void Doctor_TriesTheCard() =>
        card.Run(null, "doctor").MustSay(0, "a convolution and a matrix product run and their result is right");

    [Fact]
    public void Extract_CopiesBytesFromAndVectorsToPinnedMemory_AndWaitsForItsOwnBatchOnly()
    {
        var run = card.Extract(null, "--device", "cuda", "--batch", "4").MustSay(0, AllComputed);
        Assert.Contains("cudaMemcpy 602112 bytes pinned -> card", run.Calls);
        Assert.Contains("cudaMemcpy 20480 bytes card -> pinned", run.Calls);
        // Sessions wait for the whole card when they start.
        Assert.DoesNotContain("cudaDeviceSynchronize", run.Calls.SkipWhile(c => !c.EndsWith("pinned -> card", StringComparison.Ordinal)));
    }

    [Fact]
    public void Extract_WithoutABatch_TriesSome() =>
        card.Extract(null, "--device", "cuda").MustSay(0, AllComputed).MustSay(0, "batches of [0-9]+ photos");

    [Theory]
    [InlineData("tf32")]
    [InlineData("fp16")]
    public void Extract_InLowerPrecision_MeasuresItsErrorAndHasAllNodesOnTheCard(string precision)
    {
        card.Extract(null, "--device", "cuda", "--batch", "4", "--precision", precision).MustSay(0, $"{precision} against fp32");
        var nchw = card.Extract(null, "--device", "cuda", "--batch", "4", "--precision", precision, "--cuda-layout", "nchw").MustSay(0, AllComputed);
        Assert.DoesNotContain("warning", nchw.Result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cuda:0")]
    [InlineData("cuda:0,1")]
    public void Extract_WithCudaGraphs_CapturesAndReplays(string cards)
    {
        var two = Variables("CARD_STUB_CARDS", "2");
        var run = card.Extract(two, "--device", cards, "--batch", "4", "--cuda-graphs", "on").MustSay(0, AllComputed);
        Assert.Contains("cudaGraphLaunch", run.Calls);
        card.Run(two, "bench", "extract", "--json", "--data", card.Photos, "--model", "efficientnet-lite0", "--device", cards, "--cuda-graphs", "on", "--rounds", "2", "--photos", "10")
            .MustSay(0, "\"session\"");
    }

    [Fact]
    public void Extract_OnTheSecondCard_LeavesTheFirstAlone()
    {
        var run = card.Extract(Variables("CARD_STUB_CARDS", "2"), "--device", "cuda:1", "--batch", "4").MustSay(0, AllComputed);
        Assert.Equal(["cudaInitDevice 1 flags 4", "cudaSetDevice 1"], run.Calls.Take(2));
    }

    [Fact]
    public void Extract_OnACardThatIsNotThere_ListsThoseThatAre() =>
        card.Extract(Variables("CARD_STUB_CARDS", "2"), "--device", "cuda:2").MustSay(1, @"there is no card 2: the driver shows 0 \(Stub\), 1 \(Stub\)");

    [Fact]
    public void Extract_WithAnOldDriver_NamesTheOneThatIsNeeded() =>
        card.Extract(Variables("CARD_STUB_DRIVER", "12040"), "--device", "cuda").MustSay(1, "the NVIDIA driver is for CUDA 12.4 at most, CUDA 13 is needed");

    [Theory]
    [InlineData(100_000_000, "0", 0, "batches of [0-9]+ do not fit into the card's memory")]
    [InlineData(100_000_000, "64", 1, @"does not fit into the memory of cuda:0 \(Failed to allocate memory for requested buffer of size [0-9]+[^)]*\); .* run again with a smaller --batch, such as 32\n")]
    [InlineData(20_000_000, "0", 1, "Failed to allocate memory for requested buffer of size [0-9]+")]
    public void Extract_OnASmallCard_TakesTheBatchThatFitsOrSaysWhatDoesNot(long memory, string batch, int exitCode, string pattern) =>
        card.Extract(Variables("CARD_STUB_MEMORY", memory.ToString(CultureInfo.InvariantCulture)), "--device", "cuda", "--batch", batch).MustSay(exitCode, pattern);

    [Fact]
    public void Extract_WithALimitOfMemory_StaysBelowIt() =>
        card.Extract(null, "--device", "cuda", "--device-memory", "0.1").MustSay(0, "do not fit");

    [Fact]
    public void Extract_WithOptionsOfTheProvider_HandsThemOn()
    {
        card.Extract(Variables("TRANSFER_CUDA_OPTIONS", "fuse_conv_bias=1"), "--device", "cuda", "--batch", "4", "--precision", "fp16").MustSay(0, AllComputed);
        card.Extract(Variables("TRANSFER_CUDA_OPTIONS", "fuse=1"), "--device", "cuda").MustSay(1, "Unknown provider option: \"fuse\"");
    }

    private static Dictionary<string, string> Variables(string name, string value) => new() { [name] = value };
}
