using System.Reflection;
using System.Runtime.InteropServices;
using TransferPipeline.Platform;
using TransferPipeline.Tests.Cli;

namespace TransferPipeline.Tests.Inference.Gpu;

/// <summary>
/// The command with ONNX Runtime's real CUDA provider, on libraries that stand in for the driver, CUDA, cuBLAS and cuDNN (tests/cuda-stub):
/// kernels do nothing, and each call is logged and checked against CUDA's rules.
/// </summary>
public sealed class CudaStandIn : IDisposable
{
    private const string Provider = "libonnxruntime_providers_cuda.so";

    /// <summary>Folder of the CUDA build's libraries in the package cache, where the project's restore put them.</summary>
    private static readonly string Natives = typeof(CudaStandIn)
        .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == "CudaNatives")
        .Value!;

    private readonly TempFolder _folder = new();
    private readonly string? _absent;
    private readonly string _program;
    private int _runs;

    public CudaStandIn()
    {
        _program = Path.Combine(_folder.Root, "program");
        Libraries = Path.Combine(_folder.Root, "cuda");
        Photos = Path.Combine(_folder.Root, "photos");
        _absent = Absent();
        if (_absent is not null)
            return;
        MakeProgram();
        SamplePhotos.Copy(
            Photos,
            1,
            [.. Directory.GetDirectories(Path.Combine(SamplePhotos.Folder, "train")).Select(d => Path.GetFileName(d))]
        );
        var built = TransferProcess.RunProgram(
            "bash",
            SharedData.Repository,
            null,
            "tests/cuda-stub/build.sh",
            Libraries,
            Path.Combine(Natives, Provider)
        );
        Assert.True(built.ExitCode == 0, built.Error);
    }

    /// <summary>The stand-ins, for TRANSFER_CUDA_PATH.</summary>
    public string Libraries { get; }

    /// <summary>A folder dataset of 20 real photos.</summary>
    public string Photos { get; }

    public int PhotoCount => Directory.EnumerateFiles(Photos, "*.jpg", SearchOption.AllDirectories).Count();

    /// <summary>The name of a folder that is not there yet.</summary>
    public string NewFolder() => _folder.At($"set-{Interlocked.Increment(ref _runs)}");

    /// <summary>Skips the calling test where the stand-ins cannot be had.</summary>
    public void Require()
    {
        if (_absent is not null)
            Assert.Skip(_absent);
    }

    /// <summary>Extracts all photos into a fresh set.</summary>
    internal StandInRun Extract(IReadOnlyDictionary<string, string>? environment, params string[] options) =>
        Run(environment, ["extract", "--data", Photos, "--model", "efficientnet-lite0", "--out", NewFolder(), .. options]);

    internal StandInRun Run(IReadOnlyDictionary<string, string>? environment, params string[] arguments) =>
        Run(_program, environment, arguments);

    /// <summary>The program as it is built for CPUs, which finds the CUDA build in another folder.</summary>
    internal StandInRun RunCpuBuild(params string[] arguments) =>
        Run(AppContext.BaseDirectory, new Dictionary<string, string> { [NativePackages.Variable] = Natives }, arguments);

    /// <summary>The program as it is built for CPUs, into whose folder files of the CUDA build were copied.</summary>
    internal StandInRun RunWithCopied(Func<string, bool> files, params string[] arguments)
    {
        Require();
        var program = _folder.At($"copied-{Interlocked.Increment(ref _runs)}");
        Mirror(AppContext.BaseDirectory, program);
        LinkNatives(program, files);
        return Run(program, null, arguments);
    }

    private StandInRun Run(string program, IReadOnlyDictionary<string, string>? environment, string[] arguments)
    {
        Require();
        var log = _folder.At($"log-{Interlocked.Increment(ref _runs)}");
        var variables = new Dictionary<string, string>(environment ?? new Dictionary<string, string>());
        variables.TryAdd("TRANSFER_CUDA_PATH", Libraries);
        variables.TryAdd("GPU_STUB_LOG", log);
        var result = TransferProcess.RunProgram(Path.Combine(program, "transfer"), _folder.Root, variables, arguments);
        return new(result, File.Exists(log) ? File.ReadAllLines(log) : []);
    }

    public void Dispose() => _folder.Dispose();

    private static string? Absent() =>
        !OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64
            ? "needs Linux on x64, for which ONNX Runtime's CUDA provider is built"
        : !File.Exists(Path.Combine(Natives, Provider)) ? $"needs {Provider} of the package Microsoft.ML.OnnxRuntime.Gpu.Linux in {Natives}"
        : ((string[])["gcc", "nm", "strings", "bash"]).FirstOrDefault(tool => !OnPath(tool)) is { } tool
            ? $"needs {tool}, to make libraries that stand in for CUDA"
        : null;

    private static bool OnPath(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Any(p => File.Exists(Path.Combine(p, tool)));

    /// <summary>
    /// The program under test with ONNX Runtime's libraries replaced, as Gpu=true builds it. Libraries are linked, not copied.
    /// </summary>
    private void MakeProgram()
    {
        var original = Directory
            .EnumerateFiles(AppContext.BaseDirectory, "libonnxruntime.so", SearchOption.AllDirectories)
            .Single(f => !f.Contains("runtimes", StringComparison.Ordinal) || f.Contains("linux-x64", StringComparison.Ordinal));
        var replaced = Path.GetRelativePath(AppContext.BaseDirectory, Path.GetDirectoryName(original)!);
        Mirror(AppContext.BaseDirectory, _program);
        LinkNatives(Path.Combine(_program, replaced), static _ => true);
    }

    private static void LinkNatives(string folder, Func<string, bool> files)
    {
        foreach (var file in Directory.EnumerateFiles(Natives).Where(f => files(Path.GetFileName(f))))
        {
            var target = Path.Combine(folder, Path.GetFileName(file));
            File.Delete(target);
            File.CreateSymbolicLink(target, file);
        }
    }

    private static void Mirror(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.EnumerateDirectories(from))
            Mirror(folder, Path.Combine(to, Path.GetFileName(folder)));
        foreach (var file in Directory.EnumerateFiles(from))
        {
            var copy = Path.Combine(to, Path.GetFileName(file));
            // The host and .NET's loader take a linked assembly's own folder for the program's.
            if (Path.GetExtension(file) is ".so" or ".onnx" || file.Contains(".so.", StringComparison.Ordinal))
                File.CreateSymbolicLink(copy, file);
            else
                File.Copy(file, copy);
        }
    }
}

/// <summary>What the command said on the stand-ins, and the calls that they logged, each as time, thread and call.</summary>
internal sealed record StandInRun(TransferResult Result, IReadOnlyList<string> Log)
{
    /// <summary>The calls alone.</summary>
    public IEnumerable<string> Calls => Log.Select(line => line.Split(' ', 3)[2]);

    /// <summary>The exit code, the messages, that CUDA's rules were kept, and that an error is one line.</summary>
    public StandInRun MustSay(int exitCode, string pattern)
    {
        var said = Result.Output + Result.Error;
        Assert.True(Result.ExitCode == exitCode, $"exit code {Result.ExitCode}: {said}");
        Assert.Matches(pattern, said);
        Assert.DoesNotContain(
            Calls,
            c => c.Contains("FORBIDDEN", StringComparison.Ordinal) || c.Contains("FREE OF UNKNOWN", StringComparison.Ordinal)
        );
        Assert.DoesNotContain("\n   at ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("[E:onnxruntime", said, StringComparison.Ordinal);
        return this;
    }
}
