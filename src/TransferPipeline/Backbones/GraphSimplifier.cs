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
        // ONNX Runtime writes its optimized graph to a file only. The process and a random number keep runs apart.
        var file = TemporaryPath.New(".onnx");
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
                // The constructor has written the file; the session is of no further use.
                return File.ReadAllBytes(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
