using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Tests.Cli;

/// <summary>A device that cannot be used is an error of one line that says what is missing; another is never taken instead.</summary>
public sealed class DeviceTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A build for the CPU lacks the provider; one for CUDA lacks, on a machine without a GPU, the driver.</summary>
    [Theory]
    [InlineData("cuda", "libonnxruntime_providers_cuda.so")]
    [InlineData("tensorrt:0", "libonnxruntime_providers_tensorrt.so")]
    public void Extract_OnAGpuThatCannotBeUsed_NamesTheMissingLibraryAndTheCure(string device, string provider)
    {
        var (library, cure) = (provider, "make GPU=1");
        if (OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"))
        {
            if (NativeLibrary.TryLoad("libcuda.so.1", out _))
                Assert.Skip("this machine has NVIDIA's driver");
            (library, cure) = ("libcuda.so.1", "install the NVIDIA driver");
        }

        var data = SamplePhotos.Copy(_folder.At("data"), 1, "hat");
        var result = TransferProcess.Run(
            "extract",
            "--data",
            data,
            "--model",
            "efficientnet-lite0",
            "--device",
            device,
            "--out",
            _folder.At("set")
        );
        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"{library} is missing", result.LastErrorLine, StringComparison.Ordinal);
        Assert.Contains(cure, result.LastErrorLine, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_folder.At("set"), "*.parquet"));
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("--batch", "-5", "--batch is '-5', expected a whole number from 0 to 65536")]
    [InlineData("--device-memory", "-1", "--device-memory is '-1', expected a number from 0")]
    [InlineData("--device-memory", "lots", "--device-memory")]
    [InlineData("--threads", "many", "--threads")]
    [InlineData("--threads", "0", "--threads is '0', expected a whole number from 1 to 4096")]
    [InlineData("--cudnn-search", "exhaustiv", "'exhaustiv' is not one of exhaustive, heuristic, default; did you mean 'exhaustive'?")]
    [InlineData("--cuda-graphs", "yes", "--cuda-graphs 'yes' is not one of off, on")]
    [InlineData("--cuda-graphs", "on", "CUDA graphs are for device cuda, not for cpu")]
    [InlineData("--device", "gpu", "did you mean 'cuda'?")]
    [InlineData("--precision", "tf32", "precision tf32 exists on CUDA only")]
    public void Extract_WithAWrongValue_SaysWhatIsExpected(string option, string value, string message)
    {
        var data = SamplePhotos.Copy(_folder.At("data"), 1, "dress", "hat");
        var result = TransferProcess.Run(
            "extract",
            "--data",
            data,
            "--model",
            "efficientnet-lite0",
            "--out",
            _folder.At("set"),
            option,
            value
        );
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.At("set")));
    }

    [Fact]
    public void Doctor_FindsNoProblem_AndTellsOfTheCudaProviderAndTheDriver()
    {
        var result = TransferProcess.Run("doctor");
        Assert.Contains("efficientnet-lite0: 1280 values for a photo", result.Output, StringComparison.Ordinal);
        // A build with CUDA on a machine with a GPU may rightly miss libraries.
        if (!OrtEnv.Instance().GetAvailableProviders().Contains("CUDAExecutionProvider"))
        {
            Assert.DoesNotContain("PROBLEM", result.Output, StringComparison.Ordinal);
            Assert.Equal(0, result.ExitCode);
        }

        Assert.Contains("CUDA provider", result.Output, StringComparison.Ordinal);
        Assert.Contains("NVIDIA driver", result.Output, StringComparison.Ordinal);
    }
}
