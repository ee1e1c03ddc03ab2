using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Features.Extraction;

namespace TransferPipeline.Features.Cards;

/// <summary>How ONNX Runtime says that memory is exhausted: it has no error code for it.</summary>
internal static class CardMemory
{
    /// <summary>Of its arena, of the arena's limit (gpu_mem_limit), of CUDA, and of cuDNN and cuBLAS.</summary>
    private static readonly string[] Signs = ["Failed to allocate memory", "smaller than requested bytes", "out of memory", "ALLOC_FAILED", "bad_alloc"];

    public static bool IsExhausted(OnnxRuntimeException e) => IsExhausted(e.Message);

    public static bool IsExhausted(string message) => Signs.Any(s => message.Contains(s, StringComparison.OrdinalIgnoreCase));

    /// <summary>Turns exhausted memory into one line that names the cure.</summary>
    /// <exception cref="JobFailedException">The card's memory is exhausted.</exception>
    public static void Guard(Action compute, int batch, DeviceOptions device)
    {
        try
        {
            compute();
        }
        catch (OnnxRuntimeException e) when (IsExhausted(e))
        {
            throw new JobFailedException($"a batch of {batch} photos does not fit into the memory of {device} ({FirstLine(e)}); what was computed is kept: {(batch > 1 ? $"run again with a smaller --batch, such as {batch / 2}" : "end what else uses the card")}", e);
        }
    }

    public static string FirstLine(Exception e) => e.Message.Split('\n', 2)[0].Trim();
}
