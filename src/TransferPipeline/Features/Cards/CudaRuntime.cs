using System.Runtime.InteropServices;

namespace TransferPipeline.Features.Cards;

/// <summary>The two calls of CUDA's runtime (libcudart) that ONNX Runtime's C# API does not offer: free memory, and copies to fixed addresses.</summary>
internal static unsafe class CudaRuntime
{
    private const string Library = "libcudart.so.13";

    /// <summary>cudaMemcpyDefault: the direction follows from the addresses.</summary>
    private const int AnyDirection = 4;

    /// <summary>Bytes of a card that nobody uses; null where there is no CUDA or no such card.</summary>
    public static long? FreeMemory(int card)
    {
        // Already loaded, by its full path, with the provider.
        if (!NativeLibrary.TryLoad(Library, out var library))
            return null;
        int before;
        nuint free, total;
        if (((delegate* unmanaged<int*, int>)NativeLibrary.GetExport(library, "cudaGetDevice"))(&before) != 0)
            return null;
        var setDevice = (delegate* unmanaged<int, int>)NativeLibrary.GetExport(library, "cudaSetDevice");
        if (setDevice(card) != 0)
            return null;
        var status = ((delegate* unmanaged<nuint*, nuint*, int>)NativeLibrary.GetExport(library, "cudaMemGetInfo"))(&free, &total);
        setDevice(before);
        return status == 0 ? (long)free : null;
    }

    /// <summary>Copies between host and card, and returns when the bytes are there.</summary>
    /// <exception cref="JobFailedException">The driver refuses.</exception>
    public static void Copy(nint destination, nint source, long bytes)
    {
        var copy = (delegate* unmanaged<nint, nint, nuint, int, int>)NativeLibrary.GetExport(NativeLibrary.Load(Library), "cudaMemcpy");
        var status = copy(destination, source, (nuint)bytes, AnyDirection);
        if (status != 0)
            throw new JobFailedException($"copying {bytes} bytes to or from the card fails with CUDA's error {status}: run again with --cuda-graphs off");
    }
}
