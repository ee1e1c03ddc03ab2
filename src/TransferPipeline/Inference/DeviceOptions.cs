using System.Globalization;

namespace TransferPipeline.Inference;

/// <summary>Where and in which arithmetic a backbone runs.</summary>
public sealed record DeviceOptions
{
    public const string Cpu = "cpu";
    public const string Cuda = "cuda";
    public const string TensorRt = "tensorrt";

    private static readonly string[] Providers = [Cpu, Cuda, TensorRt];
    private static readonly string[] Precisions = ["fp32", "tf32", "fp16"];

    /// <summary><c>cpu</c>, <c>cuda</c> or <c>tensorrt</c>.</summary>
    public string Provider { get; init; } = Cpu;

    /// <summary>Numbers of the cards, each with a session of its own; 0 alone for the CPU.</summary>
    public IReadOnlyList<int> Cards { get; init; } = [0];

    /// <summary>Number of the first card.</summary>
    public int Index => Cards[0];

    /// <summary><c>fp32</c> (default), <c>tf32</c> (matrix products in TensorFloat-32, CUDA only) or <c>fp16</c>.</summary>
    public string Precision { get; init; } = "fp32";

    /// <summary>How cuDNN 9 chooses a convolution: <c>exhaustive</c> (default; its heuristics' mode B), <c>heuristic</c> (mode A, at once) or <c>default</c> (its fallbacks, slow).</summary>
    public string CudnnSearch { get; init; } = "exhaustive";

    /// <summary>
    /// How tensors lie on the card: <c>nhwc</c>, which tensor cores read, <c>nchw</c>, or <c>auto</c> (default): nhwc with tf32 and fp16, unless
    /// the graph computes with shapes, which nhwc would move to the card.
    /// </summary>
    public string CudaLayout { get; init; } = "auto";

    /// <summary>
    /// Whether convolutions add their bias themselves, which spares a pass over each tensor: <c>on</c>, <c>off</c>, or <c>auto</c> (default),
    /// the faster of both by a trial, where one finds the batch of at least 4,096 photos too and tensors lie as nhwc in tf32 or fp16.
    /// </summary>
    public string CudaFusion { get; init; } = "auto";

    /// <summary>Most bytes of the card's memory that may be used; 0 leaves it to the runtime.</summary>
    public long MemoryLimit { get; init; }

    /// <summary>A batch's kernels are captured once and launched as one; on cards without TensorRT only. Proven at the start on made-up pixels.</summary>
    public bool CudaGraphs { get; init; }

    public bool IsCpu => Provider == Cpu;

    /// <summary>Reads <c>cpu</c>, <c>cuda</c>, <c>cuda:1</c>, <c>cuda:0,1</c>, <c>tensorrt:0</c>.</summary>
    /// <exception cref="UsageException">It is none of these, or the precision or CUDA graphs are unknown or not for this device.</exception>
    public static DeviceOptions Parse(string device, string precision = "fp32", bool cudaGraphs = false)
    {
        var colon = device.IndexOf(':');
        var provider = colon < 0 ? device : device[..colon];
        int[] cards = [0];
        if (!Providers.Contains(provider))
            throw new UsageException($"device '{device}' is not one of cpu, cuda, cuda:N, cuda:N,M, tensorrt, tensorrt:N{(provider == "gpu" ? "; did you mean 'cuda'?" : NearestName.Hint(provider, Providers))}");
        if (colon >= 0 && (provider == Cpu || !TryParseCards(device[(colon + 1)..], out cards)))
            throw new UsageException($"device '{device}': what follows the colon must be the number of a card, or several, each once, as in cuda:0 or cuda:0,1");
        if (!Precisions.Contains(precision))
            throw new UsageException($"precision '{precision}' is not one of {string.Join(", ", Precisions)}{NearestName.Hint(precision, Precisions)}");
        if (precision == "tf32" && provider == Cpu)
            throw new UsageException("precision tf32 exists on CUDA cards only; on the cpu use fp32");
        if (cudaGraphs && provider != Cuda)
            throw new UsageException($"CUDA graphs are for device cuda, not for {provider}: leave them off");
        return new() { Provider = provider, Cards = cards, Precision = precision, CudaGraphs = cudaGraphs };
    }

    public override string ToString() => IsCpu ? Cpu : string.Create(CultureInfo.InvariantCulture, $"{Provider}:{string.Join(',', Cards)}");

    private static bool TryParseCards(string text, out int[] cards)
    {
        var parts = text.Split(',');
        cards = new int[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out cards[i]))
                return false;
        }

        return cards.Distinct().Count() == cards.Length;
    }
}
