using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Backbones;

/// <summary>
/// Lets ONNX Runtime fold constants and batch normalizations in float32 before weights are rounded: its basic optimizations write
/// standard ONNX, and a folded scale is rounded once instead of four times.
/// </summary>
internal static class GraphSimplifier
{
    public static byte[] Simplify(byte[] onnx)
    {
        var file = Path.Combine(Path.GetTempPath(), $"transfer-{Environment.ProcessId}-{Guid.NewGuid():N}.onnx");
        try
        {
            using (
                var options = new SessionOptions
                {
                    GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_BASIC,
                    OptimizedModelFilePath = file,
                    LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
                }
            )
            using (new InferenceSession(onnx, options))
                return File.ReadAllBytes(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
