using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Features.Cards;

/// <summary>How ONNX Runtime says that memory is exhausted: it has no error code for it.</summary>
internal static class CardMemory
{
    /// <summary>Of its arena, of the arena's limit (gpu_mem_limit), of CUDA, and of cuDNN and cuBLAS.</summary>
    private static readonly string[] Signs = ["Failed to allocate memory", "smaller than requested bytes", "out of memory", "ALLOC_FAILED", "bad_alloc"];

    public static bool IsExhausted(OnnxRuntimeException e) => IsExhausted(e.Message);

    public static bool IsExhausted(string message) => Signs.Any(s => message.Contains(s, StringComparison.OrdinalIgnoreCase));

    public static string FirstLine(Exception e) => e.Message.Split('\n', 2)[0].Trim();
}
