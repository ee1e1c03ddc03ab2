using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Onnx;

namespace TransferPipeline.Quantization;

/// <summary>Sessions of one thread each: callers bring the parallelism, and sums do not depend on it.</summary>
internal static class Sessions
{
    public static InferenceSession Create(ModelProto model)
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
        IntegerArithmetic.RequireExactSums(options, model.Graph);
        return new(model.ToByteArray(), options);
    }
}
