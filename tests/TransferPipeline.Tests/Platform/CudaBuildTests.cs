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
    public void WhyNone_StatesEachPlaceAndTheCure()
    {
        using var folder = new TempFolder();
        var (missing, empty, partial, package) = (folder.At("missing"), folder.At("empty"), folder.At("partial"), folder.At("package"));
        foreach (var path in (string[])[empty, partial, package])
            Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(partial, CudaBuild.Provider), "");

        var why = CudaBuild.WhyNone("linux-x64", null, [missing, empty, partial], package, hasDriver: true);
        Assert.Contains($"TRANSFER_NATIVES: {missing} (not there), {empty} (has no {CudaBuild.Provider}), ", why, StringComparison.Ordinal);
        Assert.Contains($"{partial} (has {CudaBuild.Provider}, but not libonnxruntime.so)", why, StringComparison.Ordinal);
        Assert.Contains($"NuGet's {package} (has no {CudaBuild.Provider})", why, StringComparison.Ordinal);
        Assert.Contains(CudaBuild.FetchCommand, why, StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(package, "libonnxruntime.so"), "");
        File.WriteAllText(Path.Combine(package, CudaBuild.Provider), "");
        why = CudaBuild.WhyNone("linux-x64", null, [], package, hasDriver: false);
        Assert.Contains("TRANSFER_NATIVES: not set", why, StringComparison.Ordinal);
        Assert.Contains($"{package} (without the NVIDIA driver it is used only when TRANSFER_NATIVES names it)", why);
    }

    [Theory]
    [InlineData("osx-arm64")]
    [InlineData("win-x64")]
    [InlineData("linux-arm64")]
    public void WhyNone_OnAPlatformWithoutGpus_NamesNoPackage(string platform) =>
        Assert.Equal($"GPUs are used on linux-x64 only, this is {platform}", CudaBuild.WhyNone(platform, null, [], "", hasDriver: false));

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
