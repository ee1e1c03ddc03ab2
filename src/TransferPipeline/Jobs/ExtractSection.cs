namespace TransferPipeline.Jobs;

/// <summary>How and where photos become vectors, as users give it.</summary>
public sealed record ExtractSection
{
    /// <summary><c>cpu</c>, <c>cuda</c>, <c>cuda:n</c>, <c>cuda:n,m</c>, <c>tensorrt</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary><c>fp32</c>, <c>tf32</c> or <c>fp16</c>; the last two on a GPU.</summary>
    public string Precision { get; init; } = "fp32";

    /// <summary>Photos in a batch on a GPU; 0 finds it by a trial.</summary>
    public int Batch { get; init; }

    /// <summary>Most gigabytes of a GPU's memory to use; 0 for no limit.</summary>
    public double DeviceMemory { get; init; }

    /// <summary><c>exhaustive</c>, <c>heuristic</c> or <c>default</c>: how cuDNN chooses convolutions.</summary>
    public string CudnnSearch { get; init; } = "exhaustive";

    /// <summary><c>auto</c>, <c>nhwc</c> or <c>nchw</c>: how tensors lie on the card.</summary>
    public string CudaLayout { get; init; } = "auto";

    /// <summary><c>auto</c>, <c>on</c> or <c>off</c>: convolutions add their bias themselves.</summary>
    public string CudaFusion { get; init; } = "auto";

    /// <summary>Launch a batch's kernels as one CUDA graph; for <c>cuda</c> only.</summary>
    public bool CudaGraphs { get; init; }

    /// <summary>Largest share of photos that may fail.</summary>
    public double MaxFailed { get; init; } = 0.05;

    /// <summary>Turn photos as EXIF says.</summary>
    public bool ExifTranspose { get; init; }
}
