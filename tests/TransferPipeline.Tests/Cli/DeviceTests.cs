using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Tests.Cli;

/// <summary>A device that cannot be used is an error of one line that says what is missing; another is never taken instead.</summary>
public sealed class DeviceTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("cuda", "libonnxruntime_providers_cuda.so")]
    [InlineData("tensorrt:0", "libonnxruntime_providers_tensorrt.so")]
    public void Extract_OnACardThatCannotBeUsed_NamesTheMissingLibraryAndTheCure(string device, string library)
    {
        if (OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"))
            Assert.Skip("this build has CUDA");
        var data = SamplePhotos.Copy(_folder.At("data"), 1, "hat");
        var result = TransferProcess.Run("extract", "--data", data, "--model", "efficientnet-lite0", "--device", device, "--out", _folder.At("set"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"{library} is missing", result.LastErrorLine, StringComparison.Ordinal);
        Assert.Contains("make GPU=1", result.LastErrorLine, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_folder.At("set"), "*.parquet"));
        Assert.Empty(result.Output);
    }

    [Fact]
    public void Doctor_TellsOfTheCudaProviderAndTheDriver()
    {
        var result = TransferProcess.Run("doctor");
        Assert.Contains("CUDA provider", result.Output, StringComparison.Ordinal);
        Assert.Contains("NVIDIA driver", result.Output, StringComparison.Ordinal);
    }
}
