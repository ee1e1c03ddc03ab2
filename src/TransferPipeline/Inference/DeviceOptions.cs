using System.Globalization;

namespace TransferPipeline.Inference;

/// <summary>ONNX Runtime's execution provider.</summary>
public enum Provider
{
    /// <summary>The processor.</summary>
    Cpu,

    /// <summary>NVIDIA GPUs by ONNX Runtime's CUDA provider.</summary>
    Cuda,

    /// <summary>NVIDIA GPUs by ONNX Runtime's TensorRT provider.</summary>
    TensorRt,
}

/// <summary>Arithmetic of a backbone.</summary>
public enum Precision
{
    /// <summary>float32.</summary>
    Fp32,

    /// <summary>Matrix products in TensorFloat-32, on CUDA only.</summary>
    Tf32,

    /// <summary>float16.</summary>
    Fp16,

    /// <summary>8 bits, on the CPU only: the backbone is quantized on the dataset's training photos first.</summary>
    Int8,
}

/// <summary>How cuDNN 9 chooses a convolution.</summary>
public enum CudnnSearch
{
    /// <summary>Its heuristics' mode B.</summary>
    Exhaustive,

    /// <summary>Mode A, at once.</summary>
    Heuristic,

    /// <summary>Its fallbacks, slow.</summary>
    Default,
}

/// <summary>Order of a tensor's axes on a GPU.</summary>
public enum CudaLayout
{
    /// <summary><see cref="Nhwc"/> with tf32 and fp16, unless the graph computes with shapes, which nhwc would move to the GPU.</summary>
    Auto,

    /// <summary>The order that tensor cores read.</summary>
    Nhwc,

    /// <summary>Channels first.</summary>
    Nchw,
}

/// <summary>Whether convolutions add their bias themselves, which spares a pass over each tensor.</summary>
public enum CudaFusion
{
    /// <summary>
    /// The faster of both by a trial, where one finds the batch of at least 4,096 photos too and tensors lie as nhwc in tf32 or fp16.
    /// </summary>
    Auto,

    /// <summary>They do.</summary>
    On,

    /// <summary>A kernel of its own adds it.</summary>
    Off,
}

/// <summary>Where and in which arithmetic a backbone runs.</summary>
public sealed record DeviceOptions
{
    private static readonly string[] Providers = [.. Enum.GetValues<Provider>().Select(Name)];

    /// <summary>
    /// Provider and GPUs as users write them: <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>, <c>cuda:0,1</c>, <c>tensorrt:0</c>.
    /// </summary>
    /// <exception cref="UsageException">It is none of these.</exception>
    [Option(
        "device",
        "cpu, cuda, cuda:n, cuda:n,m (one session per GPU) or tensorrt.",
        Pattern = "^(cpu|(cuda|tensorrt)(:[0-9]+(,[0-9]+)*)?)$"
    )]
    public string Device
    {
        get => Provider == Provider.Cpu || Gpus is [0] ? Name(Provider) : ToString();
        init => (Provider, Gpus) = ReadDevice(value);
    }

    /// <summary>The kind of device.</summary>
    public Provider Provider { get; init; } = Provider.Cpu;

    /// <summary>Numbers of the GPUs, each with a session of its own; 0 alone for the CPU.</summary>
    public IReadOnlyList<int> Gpus { get; init; } = [0];

    /// <summary>Number of the first GPU.</summary>
    public int Index => Gpus[0];

    /// <summary>Arithmetic of the backbone.</summary>
    [Option("precision", "fp32; on the cpu int8, on a GPU tf32 or fp16.")]
    public Precision Precision { get; init; }

    /// <summary>Most gigabytes of a GPU's memory that may be used; 0 leaves it to the runtime.</summary>
    [Option("device-memory", "Most GB of a GPU's memory to use; 0 for no limit.", Min = 0, Max = 1e6)]
    public double DeviceMemory
    {
        get => MemoryLimit / 1e9;
        init => MemoryLimit = (long)(value * 1e9);
    }

    /// <summary><see cref="DeviceMemory"/> in bytes.</summary>
    public long MemoryLimit { get; init; }

    /// <summary>How cuDNN chooses the algorithms of convolutions.</summary>
    [Option("cudnn-search", "How cuDNN chooses convolutions.")]
    public CudnnSearch CudnnSearch { get; init; }

    /// <summary>How tensors lie in the memory of a GPU.</summary>
    [Option("cuda-layout", "How tensors lie on a GPU; auto is nhwc for tf32 and fp16.")]
    public CudaLayout CudaLayout { get; init; }

    /// <summary>Whether convolutions on a GPU add their bias themselves.</summary>
    [Option("cuda-fusion", "Convolutions on a GPU add their bias themselves; auto tries both.")]
    public CudaFusion CudaFusion { get; init; }

    /// <summary>A batch's kernels are captured once and launched as one; with CUDA only. Proven at the start on synthetic pixels.</summary>
    [Option("cuda-graphs", "Launch a batch's kernels as one CUDA graph; for cuda only.", Switch = true)]
    public bool CudaGraphs { get; init; }

    /// <summary>Whether it is the processor.</summary>
    public bool IsCpu => Provider == Provider.Cpu;

    /// <summary>Refuses options that exclude each other.</summary>
    /// <exception cref="UsageException">The precision or CUDA graphs are not for this device.</exception>
    public DeviceOptions Check()
    {
        if (Precision == Precision.Tf32 && IsCpu)
            throw new UsageException("precision tf32 exists on CUDA only; on the cpu use fp32");
        if (Precision == Precision.Int8 && !IsCpu)
            throw new UsageException($"precision int8 is for the cpu; on {Name(Provider)} use fp16");
        if (CudaGraphs && Provider != Provider.Cuda)
            throw new UsageException($"CUDA graphs are for device cuda, not for {Name(Provider)}: leave them off");
        return this;
    }

    /// <summary>A provider or precision as recipes and messages have it.</summary>
    internal static string Name<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <summary>As <see cref="Device"/> reads it, with the number of the GPU.</summary>
    public override string ToString() =>
        IsCpu ? Name(Provider) : string.Create(CultureInfo.InvariantCulture, $"{Name(Provider)}:{string.Join(',', Gpus)}");

    private static (Provider Provider, IReadOnlyList<int> Gpus) ReadDevice(string device)
    {
        var colon = device.IndexOf(':');
        var name = colon < 0 ? device : device[..colon];
        int[] gpus = [0];
        if (Array.IndexOf(Providers, name) is < 0)
            throw new UsageException(
                $"device '{device}' is not one of cpu, cuda, cuda:N, cuda:N,M, tensorrt, "
                    + $"tensorrt:N{(name == "gpu" ? "; did you mean 'cuda'?" : NearestName.Hint(name, Providers))}"
            );
        var provider = Enum.GetValues<Provider>()[Array.IndexOf(Providers, name)];
        if (colon >= 0 && (provider == Provider.Cpu || !TryParseGpus(device[(colon + 1)..], out gpus)))
            throw new UsageException(
                $"device '{device}': what follows the colon must be the number of a GPU, or several, each once, as in cuda:0 or cuda:0,1"
            );
        return (provider, gpus);
    }

    private static bool TryParseGpus(string text, out int[] gpus)
    {
        var parts = text.Split(',');
        gpus = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            // No signs and no blanks: each GPU has one spelling, by which duplicates are found.
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out gpus[i]))
                return false;
        }

        return gpus.Distinct().Count() == gpus.Length;
    }
}
