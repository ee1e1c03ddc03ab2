using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Quantization;

/// <summary>Sessions of one thread each: callers bring the parallelism, and sums do not depend on it.</summary>
internal static class Sessions
{
    public static InferenceSession Create(byte[] onnx)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            // As in SessionFactory: a plan of all tensors takes its memory on top of the first run's, per thread.
            EnableMemoryPattern = false,
        };
        return new(onnx, options);
    }
}
