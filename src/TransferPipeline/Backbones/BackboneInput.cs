using TransferPipeline.Images;

namespace TransferPipeline.Backbones;

/// <summary>The image input of a backbone.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="Layout">Nchw as PyTorch exports it, or Nhwc as tf2onnx does.</param>
/// <param name="Height">Pixels; the requested size, or 224, where the file leaves it open.</param>
/// <param name="Width">Pixels.</param>
/// <param name="SizeIsFixed">False when the file leaves height and width open.</param>
/// <param name="Batch">The batch that the file fixes; null when it is dynamic.</param>
/// <param name="ElementType">ONNX's name of the type in the file, <c>float</c>, <c>float16</c> or <c>uint8</c>; cut models always take
/// float32.</param>
internal sealed record BackboneInput(
    string Name,
    TensorLayout Layout,
    int Height,
    int Width,
    bool SizeIsFixed,
    int? Batch,
    string ElementType
)
{
    /// <summary>It takes levels 0 to 255: probes on numbers around 0 would show nothing.</summary>
    internal bool InLevels { get; init; }

    /// <summary>Shape of a batch of n photos.</summary>
    public long[] Shape(int n) => Layout == TensorLayout.Nchw ? [n, 3, Height, Width] : [n, Height, Width, 3];
}
