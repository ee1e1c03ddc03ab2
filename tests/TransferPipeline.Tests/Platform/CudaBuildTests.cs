using TransferPipeline.Platform;

namespace TransferPipeline.Tests.Platform;

public sealed class CudaBuildTests
{
    [Fact]
    public void FolderAmong_TakesTheFirstThatHoldsRuntimeAndProvider()
    {
        using var folder = new TempFolder();
        var (cpu, provider, both, later) = (folder.At("cpu"), folder.At("provider"), folder.At("both"), folder.At("later"));
        foreach (
            var (path, files) in ((string, string[])[])
                [
                    (cpu, ["libonnxruntime.so"]),
                    (provider, [CudaBuild.Provider]),
                    (both, ["libonnxruntime.so", CudaBuild.Provider]),
                    (later, ["libonnxruntime.so", CudaBuild.Provider]),
                ]
        )
        {
            Directory.CreateDirectory(path);
            foreach (var file in files)
                File.WriteAllText(Path.Combine(path, file), "");
        }

        Assert.Equal(both, CudaBuild.FolderAmong([folder.At("missing"), cpu, provider, both, later]));
        Assert.Null(CudaBuild.FolderAmong([cpu, provider]));
        Assert.Null(CudaBuild.FolderAmong([]));
    }

    [Fact]
    public void FetchCommand_NamesTheVersionThatTheProjectReferences()
    {
        var versions = File.ReadAllText(Path.Combine(SharedData.Repository, "Directory.Packages.props"));
        var version = versions.Split("<OnnxRuntimeGpuVersion>")[1].Split('<')[0];
        Assert.Equal($"dotnet package download Microsoft.ML.OnnxRuntime.Gpu.Linux@{version}", CudaBuild.FetchCommand);
    }

    /// <summary>Without a folder or driver that asks for it, the program's own runtime stays.</summary>
    [Fact]
    public void Folder_InThisProcess_IsNull()
    {
        Assert.SkipWhen(File.Exists("/proc/driver/nvidia/version"), "this machine has an NVIDIA driver");
        Assert.SkipWhen(Environment.GetEnvironmentVariable(NativePackages.Variable) is not null, $"{NativePackages.Variable} is set");
        Assert.Null(CudaBuild.Folder);
    }
}
