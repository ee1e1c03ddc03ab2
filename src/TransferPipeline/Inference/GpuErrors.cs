using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Inference;

/// <summary>
/// How ONNX Runtime reports that a GPU's memory is exhausted, for which it has no error code, or that the GPU fails otherwise.
/// </summary>
internal static partial class GpuErrors
{
    /// <summary>Of its arena, of the arena's limit (gpu_mem_limit), of CUDA, and of cuDNN and cuBLAS.</summary>
    private static readonly string[] Signs =
    [
        "Failed to allocate memory",
        "smaller than requested bytes",
        "out of memory",
        "ALLOC_FAILED",
        "ALLOCATION_FAILED",
        "bad_alloc",
    ];

    public static bool IsExhausted(OnnxRuntimeException e) => IsExhausted(e.Message);

    public static bool IsExhausted(string message) => Signs.Any(s => message.Contains(s, StringComparison.OrdinalIgnoreCase));

    /// <summary>Turns errors of a GPU other than exhausted memory into one line.</summary>
    /// <exception cref="JobFailedException">The GPU fails.</exception>
    public static void Run(Action compute, DeviceOptions device)
    {
        try
        {
            compute();
        }
        catch (OnnxRuntimeException e) when (!device.IsCpu && !IsExhausted(e))
        {
            // On the CPU such an error is a bug, whose trace is wanted.
            throw new JobFailedException($"device {device} fails: {Brief(e)}; 'transfer doctor' tries each GPU", e);
        }
    }

    /// <summary>Turns exhausted memory, too, into one line that names the cure.</summary>
    /// <exception cref="JobFailedException">The GPU's memory is exhausted, or the GPU fails.</exception>
    public static void Run(Action compute, int batch, DeviceOptions device)
    {
        try
        {
            Run(compute, device);
        }
        catch (OnnxRuntimeException e) when (IsExhausted(e))
        {
            throw new JobFailedException(
                $"a batch of {batch} photos does not fit into the memory of {device} ({Brief(e)}); what was computed is kept: "
                    + $"{(batch > 1 ? $"run again with a smaller --batch, such as {batch / 2}" : "end what else uses the GPU")}",
                e
            );
        }
    }

    /// <summary>What failed, without the C++ signatures and paths around it: the call's own error, or the first line.</summary>
    public static string Brief(Exception e)
    {
        var message = e.Message;
        if (Failure().Match(message) is not { Success: true } failure)
            return e.FirstLine();
        var node = Node().Match(message);
        var brief = node.Success ? $"{failure.Value.Trim()} in {node.Groups[1].Value} node {node.Groups[2].Value}" : failure.Value.Trim();
        // CUDA's errors 209 and 200.
        return
            message.Contains("no kernel image", StringComparison.Ordinal)
            || message.Contains("kernel image is invalid", StringComparison.Ordinal)
            ? $"{brief}: this build of ONNX Runtime has no code for the GPU's compute capability, see docs/gpu.md; a bundle made with "
                + $"CUDA_ARCH= has that of one alone"
            : brief;
    }

    /// <summary>As ONNX Runtime writes CUDA's, cuBLAS's and cuDNN's errors (CudaCall), and those of its arena (BFCArena).</summary>
    [GeneratedRegex(
        @"\bCU[A-Z_]+ failure -?[0-9]+: [^;\n]+|Failed to allocate memory for requested buffer[^\n]*|Available memory of [^\n]*"
    )]
    private static partial Regex Failure();

    [GeneratedRegex("while running ([A-Za-z0-9_]+) node\\. Name:'([^']*)'")]
    private static partial Regex Node();
}
