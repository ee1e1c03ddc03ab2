using TransferPipeline.TorchSharp;

namespace TransferPipeline.Tests.TorchSharp;

public sealed class TorchRuntimeTests
{
    [Theory]
    [InlineData(true, "libtorch is the build for CPUs, or finds no GPU; ")]
    [InlineData(false, "libcuda.so.1 is missing: install the NVIDIA driver; ")]
    public void WhyNoCuda_NamesACureForEachKindOfInstallation(bool hasDriver, string reason)
    {
        var message = TorchRuntime.WhyNoCuda("linux-x64", hasDriver);
        Assert.StartsWith(reason, message, StringComparison.Ordinal);
        Assert.All(["make GPU=1", "TorchSharp-cuda-linux", "TRANSFER_NATIVES"], cure => Assert.Contains(cure, message));
    }

    [Theory]
    [InlineData("osx-arm64", true)]
    [InlineData("win-x64", false)]
    [InlineData("linux-arm64", false)]
    public void WhyNoCuda_WhereGpusAreNotUsed_AsksForNoDriver(string platform, bool hasDriver) =>
        Assert.Equal($"GPUs are used on linux-x64 only, this is {platform}", TorchRuntime.WhyNoCuda(platform, hasDriver));
}
