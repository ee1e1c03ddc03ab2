using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Platform;

namespace TransferPipeline.Inference.Gpu.Cuda;

/// <summary>A shared library that the CUDA provider needs.</summary>
/// <param name="Name">Its name with the version that the provider is linked to.</param>
/// <param name="Product">What it is part of.</param>
/// <param name="Wheel">The package of pip that brings it; null for the driver and TensorRT, which pip's do not suit.</param>
internal sealed record CudaLibrary(string Name, string Product, string? Wheel = null)
{
    /// <summary>What brings this library alone.</summary>
    public string Cure => CureOf([this]);

    /// <summary>What brings several libraries; those that pip brings and others are not mixed.</summary>
    public static string CureOf(IReadOnlyCollection<CudaLibrary> libraries)
    {
        var install = $"install {string.Join(" and ", libraries.Select(l => l.Product).Distinct())}";
        return libraries.Any(l => l.Wheel is null)
            ? install
            : $"{install}, or 'pip install {string.Join(' ', libraries.Select(l => l.Wheel).Distinct())}', or name a folder with "
                + $"{(libraries.Count == 1 ? "it" : "them")} in {CudaLibraries.PathVariable}";
    }
}

/// <summary>Where a library was found.</summary>
/// <param name="Path">A full path; the bare name when the system's loader found it; null when it is missing.</param>
/// <param name="Reason">Why it could not be loaded, when it is there but unusable.</param>
/// <param name="Other">A file of another major version, when it is missing.</param>
internal sealed record FoundLibrary(CudaLibrary Library, string? Path, string? Reason, string? Other = null);

/// <summary>
/// Finds the driver, CUDA 13 and cuDNN 9 in <c>TRANSFER_CUDA_PATH</c>, a conda and a pip environment and the system, and loads them: a
/// library that is loaded is found by its name when the provider loads it, so LD_LIBRARY_PATH need not be set.
/// </summary>
internal sealed class CudaLibraries
{
    public const string PathVariable = "TRANSFER_CUDA_PATH";
    public const string CudaProvider = CudaBuild.Provider;
    public const string TensorRtProvider = "libonnxruntime_providers_tensorrt.so";

    /// <summary>What readelf -d shows for the CUDA provider, and cuDNN, which it opens when it runs. In order of dependence.</summary>
    private static readonly CudaLibrary[] Needed =
    [
        new("libcuda.so.1", "the NVIDIA driver (580 or newer for CUDA 13)"),
        new("libcudart.so.13", "CUDA 13", "nvidia-cuda-runtime~=13.0"),
        new("libcublasLt.so.13", "CUDA 13", "nvidia-cublas~=13.0"),
        new("libcublas.so.13", "CUDA 13", "nvidia-cublas~=13.0"),
        new("libcurand.so.10", "CUDA 13", "nvidia-curand"),
        new("libcudnn.so.9", "cuDNN 9", "nvidia-cudnn-cu13"),
    ];

    /// <summary>What readelf -d shows for the TensorRT provider beyond the former.</summary>
    public static readonly IReadOnlyList<CudaLibrary> TensorRt =
    [
        new("libnvinfer.so.10", TensorRtProduct),
        new("libnvonnxparser.so.10", TensorRtProduct),
    ];

    private const string TensorRtProduct = "TensorRT 10 for CUDA 13 (pip's tensorrt-cu13 below version 11)";

    /// <summary>
    /// cuDNN opens it by name for kernels that it compiles when it runs, such as convolutions that add their bias; it does without where it
    /// is not there.
    /// </summary>
    public static readonly CudaLibrary Compiler = new("libnvrtc.so.13", "CUDA 13", "nvidia-cuda-nvrtc~=13.0");

    private readonly IReadOnlyList<string> _folders;

    /// <param name="environment">The environment's variables by name; null for one that is not set.</param>
    /// <param name="root">Root of the file system; another one in tests.</param>
    public CudaLibraries(Func<string, string?> environment, string root = "/")
    {
        _folders = [.. Folders(environment, root).Select(Path.GetFullPath).Where(Directory.Exists).Distinct()];
        Absent = Given(environment).FirstOrDefault(given => !Directory.Exists(given));
    }

    /// <summary>Folders that are searched before the system's loader, in that order.</summary>
    public IReadOnlyList<string> SearchFolders => _folders;

    /// <summary>The first folder named in <c>TRANSFER_CUDA_PATH</c> that does not exist, or null.</summary>
    public string? Absent { get; }

    /// <summary>What makes these GPUs unusable, with its cure; null when everything was found and loaded.</summary>
    /// <param name="tensorRt">They are to be used by TensorRT.</param>
    public static string? Problem(IReadOnlyList<int> gpus, bool tensorRt)
    {
        var (provider, file) = tensorRt ? ("TensorrtExecutionProvider", TensorRtProvider) : ("CUDAExecutionProvider", CudaProvider);
        // From the inside outwards: in a build without the provider, libraries that are missing are no problem.
        if (!OrtEnv.Instance().GetAvailableProviders().Contains(provider))
            return $"{file} is missing, this ONNX Runtime ({OrtEnv.Instance().GetVersionString()}) is built for the CPU alone: "
                + CudaBuild.WhyNone();
        if (ProviderFile(file) is null)
            return $"{file} is missing in {CudaBuild.Folder ?? AppContext.BaseDirectory}, beside ONNX Runtime's own library: copy all "
                + $"files of its package there; '{CudaBuild.FetchCommand}' fetches it";
        var search = new CudaLibraries(Environment.GetEnvironmentVariable);
        // The driver is searched last: it may be where only the search finds it.
        return Describe(search.Load(tensorRt)) is { } problem
            ? $"{problem}{(search.Absent is { } absent ? $" ({PathVariable} names {absent}, which does not exist)" : "")}; 'transfer "
                + $"doctor' lists what is there"
            : CudaDriver.Problem(gpus);
    }

    /// <summary>One line about the libraries that are missing or cannot be loaded, with their cures; null when all is well.</summary>
    public static string? Describe(IReadOnlyList<FoundLibrary> found)
    {
        var problems = found
            .Where(f => f.Path is null)
            // All that pip brings is one group, so that one command installs it.
            .GroupBy(f => f.Library.Wheel is null ? f.Library.Product : "")
            .Select(g =>
                $"{string.Join(", ", g.Select(f => f.Library.Name))} {(g.Count() == 1 ? "is" : "are")} missing{OtherVersion([.. g])}: "
                + $"{CudaLibrary.CureOf([.. g.Select(f => f.Library)])}"
            )
            .Concat(
                found
                    .Where(f => f is { Path: not null, Reason: not null })
                    .Select(f => $"{f.Library.Name} in {f.Path} cannot be loaded ({f.Reason}): {f.Library.Cure}")
            )
            .ToList();
        return problems.Count == 0 ? null : string.Join("; ", problems);
    }

    private static string OtherVersion(IReadOnlyList<FoundLibrary> missing) =>
        missing.Select(f => f.Other).FirstOrDefault(o => o is not null) is { } other ? $" ({other} is of another version)" : "";

    /// <summary>Full path of a provider's library beside the CUDA build of ONNX Runtime, or null.</summary>
    public static string? ProviderFile(string file) =>
        CudaBuild.Folder is { } folder ? new[] { Path.Combine(folder, file) }.FirstOrDefault(File.Exists) : null;

    /// <summary>Loads what is needed and reports where each was found.</summary>
    public IReadOnlyList<FoundLibrary> Load(bool tensorRt = false)
    {
        // In order of dependence: a library that is loaded satisfies those that are linked to it by its name.
        var found = Needed.Select(Load).ToList();
        if (tensorRt)
            found.AddRange(TensorRt.Select(Load));
        Load(Compiler);
        // cuDNN opens its parts by name when it runs.
        if (found.Find(f => f.Library.Name == "libcudnn.so.9")?.Path is { } cudnn && Path.GetDirectoryName(cudnn) is { Length: > 0 } folder)
        {
            foreach (var part in Directory.GetFiles(folder, "libcudnn_*.so.9").Order(StringComparer.Ordinal))
                NativeLibrary.TryLoad(part, out _);
        }

        return found;
    }

    /// <summary>Loads one and reports where it was found.</summary>
    public FoundLibrary Load(CudaLibrary library)
    {
        if (InFolders(library.Name) is not { } file)
            return NativeLibrary.TryLoad(library.Name, out _)
                ? new(library, library.Name, null)
                : new(library, null, null, Other(library.Name));
        try
        {
            NativeLibrary.Load(file);
            return new(library, file, null);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            // The first one found is the answer: a later folder or the system would hide that it is broken.
            return new(library, file, e.OneLine());
        }
    }

    /// <summary>Of CUDA's runtime and cuDNN, in brackets; they count in thousands and hundreds (13.0 is 13000, 9.14.1 is 91401).</summary>
    public static unsafe string VersionOf(FoundLibrary found)
    {
        if (!NativeLibrary.TryLoad(found.Path!, out var library))
            return "";
        if (
            found.Library.Name.StartsWith("libcudart.", StringComparison.Ordinal)
            && NativeLibrary.TryGetExport(library, "cudaRuntimeGetVersion", out var runtime)
        )
        {
            int version;
            return ((delegate* unmanaged<int*, int>)runtime)(&version) == 0 ? $" ({version / 1000}.{version % 1000 / 10})" : "";
        }

        if (
            !found.Library.Name.StartsWith("libcudnn.", StringComparison.Ordinal)
            || !NativeLibrary.TryGetExport(library, "cudnnGetVersion", out var cudnn)
        )
            return "";
        var number = ((delegate* unmanaged<nuint>)cudnn)();
        return $" ({number / 10000}.{number / 100 % 100}.{number % 100})";
    }

    /// <summary>
    /// A file that differs in what follows <c>.so</c>: of CUDA 12 in place of 13, as PyTorch's wheels may bring, or TensorRT 11 in place of
    /// 10.
    /// </summary>
    private string? Other(string name)
    {
        var stem = name[..(name.IndexOf(".so", StringComparison.Ordinal) + 3)];
        return _folders
            .SelectMany(f => Directory.GetFiles(f, stem + ".*"))
            .Order(StringComparer.Ordinal)
            .FirstOrDefault(f => !Path.GetFileName(f).StartsWith(name, StringComparison.Ordinal));
    }

    private string? InFolders(string name) => _folders.Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists);

    private static string[] Given(Func<string, string?> environment) =>
        (environment(PathVariable) ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<string> Folders(Func<string, string?> environment, string root)
    {
        foreach (var given in Given(environment))
        {
            // Users name a folder of libraries, a prefix or a site-packages; all three are searched.
            yield return given;
            foreach (var folder in PrefixFolders(given).Concat(PipFolders(given)))
                yield return folder;
        }

        foreach (var name in (string[])["CONDA_PREFIX", "VIRTUAL_ENV"])
        {
            if (environment(name) is not { Length: > 0 } prefix)
                continue;
            foreach (var folder in PrefixFolders(prefix))
                yield return folder;
        }

        // The Python that runs by default: its environment need not be activated. Conda has libraries of its own beside it.
        foreach (
            var prefix in (environment("PATH") ?? "")
                .Split(':', StringSplitOptions.RemoveEmptyEntries)
                .Select(p => Path.Combine(p, "python3"))
                .Where(File.Exists)
                .SelectMany(Prefixes)
        )
        {
            foreach (
                var folder in Directory.Exists(Path.Combine(prefix, "conda-meta"))
                    ? PrefixFolders(prefix)
                    : PythonFolders(Path.Combine(prefix, "lib"))
            )
                yield return folder;
        }

        // As modules of clusters and images set them.
        foreach (var name in (string[])["CUDA_HOME", "CUDA_PATH", "CUDNN_HOME", "CUDNN_PATH"])
        {
            if (environment(name) is not { Length: > 0 } prefix)
                continue;
            foreach (var below in Below(prefix))
                yield return below;
        }

        yield return Path.Combine(root, "usr", "local", "cuda", "lib64");
        foreach (var folder in Below(Path.Combine(root, "usr", "local"), "cuda-13*"))
            yield return Path.Combine(folder, "lib64");
        var home = environment("HOME");
        string[] pythons =
        [
            Path.Combine(root, "usr", "local", "lib"),
            Path.Combine(root, "usr", "lib"),
            .. home is { Length: > 0 } ? [Path.Combine(home, ".local", "lib")] : Array.Empty<string>(),
        ];
        foreach (var folder in pythons.SelectMany(PythonFolders))
            yield return folder;
        // Where containers and WSL mount the driver's libraries; the loader does not always know.
        yield return Path.Combine(root, "usr", "local", "nvidia", "lib64");
        yield return Path.Combine(root, "usr", "lib", "wsl", "lib");
    }

    /// <summary>
    /// Of a folder that holds CUDA, or of a conda or virtual environment: its own libraries, then those of its Python's packages.
    /// </summary>
    private static IEnumerable<string> PrefixFolders(string prefix) => Below(prefix).Concat(PythonFolders(Path.Combine(prefix, "lib")));

    private static IEnumerable<string> Below(string prefix) => [Path.Combine(prefix, "lib"), Path.Combine(prefix, "lib64")];

    /// <summary>
    /// The environments that a Python belongs to: where it lies, and where each link on the way to the program itself lies. A virtual
    /// environment's is such a link.
    /// </summary>
    private static IEnumerable<string> Prefixes(string python)
    {
        for (FileSystemInfo? at = new FileInfo(python); at is not null; at = at.ResolveLinkTarget(returnFinalTarget: false))
            yield return Path.GetFullPath(Path.Combine(Path.GetDirectoryName(at.FullName)!, ".."));
    }

    /// <summary>Folders of NVIDIA's wheels below the <c>lib</c> of a Python installation.</summary>
    private static IEnumerable<string> PythonFolders(string lib) =>
        Below(lib, "python3*")
            .SelectMany(p => new[] { "site-packages", "dist-packages" }.SelectMany(packages => PipFolders(Path.Combine(p, packages))));

    /// <summary>
    /// The wheels put their libraries into <c>nvidia/NAME/lib</c>, those of CUDA 13 into <c>nvidia/cu13/lib</c>, TensorRT's into
    /// <c>tensorrt_libs</c>.
    /// </summary>
    private static IEnumerable<string> PipFolders(string packages) =>
        Below(Path.Combine(packages, "nvidia"), "*").Select(p => Path.Combine(p, "lib")).Append(Path.Combine(packages, "tensorrt_libs"));

    private static IEnumerable<string> Below(string folder, string pattern) =>
        Directory.Exists(folder) ? Directory.GetDirectories(folder, pattern).Order(StringComparer.Ordinal) : [];
}
