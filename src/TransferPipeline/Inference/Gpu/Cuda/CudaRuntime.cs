using System.Runtime.InteropServices;

namespace TransferPipeline.Inference.Gpu.Cuda;

/// <summary>What ONNX Runtime's C# API does not offer of CUDA's runtime (libcudart): free memory, and copies to fixed addresses.</summary>
internal static unsafe class CudaRuntime
{
    private const string Library = "libcudart.so.13";

    /// <summary>cudaMemcpyDefault: the direction follows from the addresses.</summary>
    private const int AnyDirection = 4;

    private static readonly Lazy<Calls> Functions = new(() => new());

    /// <summary>
    /// Makes a GPU the calling thread's, and threads that wait for it sleep: each of them would keep a core from decoding. Before a session
    /// is made: ONNX Runtime then tries CUDA on the current GPU, and that would take a context on GPU 0 when another was requested.
    /// </summary>
    /// <remarks>An error is left to ONNX Runtime's own calls, which follow and say what is wrong.</remarks>
    public static void Use(int gpu)
    {
        if (!NativeLibrary.TryLoad(Library, out var library))
            return;
        const uint BlockingSync = 4,
            FlagsAreValid = 1;
        ((delegate* unmanaged<int, uint, uint, int>)NativeLibrary.GetExport(library, "cudaInitDevice"))(gpu, BlockingSync, FlagsAreValid);
        ((delegate* unmanaged<int, int>)NativeLibrary.GetExport(library, "cudaSetDevice"))(gpu);
        ClearError(library);
    }

    /// <summary>Bytes of a GPU that nobody uses; null where there is no CUDA or no such GPU.</summary>
    public static long? FreeMemory(int gpu)
    {
        // Already loaded, by its full path, with the provider.
        if (!NativeLibrary.TryLoad(Library, out var library))
            return null;
        nuint free,
            total;
        // Not set back: that would take memory of GPU 0 for a context that nobody wants, and ONNX Runtime sets its own at each run.
        if (((delegate* unmanaged<int, int>)NativeLibrary.GetExport(library, "cudaSetDevice"))(gpu) != 0)
        {
            ClearError(library);
            return null;
        }

        var status = ((delegate* unmanaged<nuint*, nuint*, int>)NativeLibrary.GetExport(library, "cudaMemGetInfo"))(&free, &total);
        ClearError(library);
        return status == 0 ? (long)free : null;
    }

    /// <summary>Whether a GPU's context in this process is beyond repair, so that every call fails until the process ends.</summary>
    public static bool IsLost(int gpu)
    {
        if (!NativeLibrary.TryLoad(Library, out var library))
            return false;
        // A lost context answers a wait with its error, another one with success.
        return ((delegate* unmanaged<int, int>)NativeLibrary.GetExport(library, "cudaSetDevice"))(gpu) != 0
            || ((delegate* unmanaged<nint, int>)NativeLibrary.GetExport(library, "cudaStreamSynchronize"))(0) != 0;
    }

    /// <summary>Copies between host and GPU, and returns when the bytes are there.</summary>
    /// <exception cref="JobFailedException">The driver refuses.</exception>
    public static void Copy(int gpu, nint destination, nint source, long bytes)
    {
        var calls = Functions.Value;
        // The default stream that is waited for below is that of the thread's current GPU.
        var status = calls.SetDevice(gpu);
        if (status == 0)
            status = calls.Copy(destination, source, (nuint)bytes, AnyDirection);
        // From memory that is not pinned cudaMemcpy may return before the GPU has the last bytes (CUDA, "API synchronization behavior").
        if (status == 0)
            status = calls.Synchronize(0);
        if (status != 0)
            throw new JobFailedException(
                $"copying {bytes} bytes to or from GPU {gpu} fails: CUDA error {status} "
                    + $"({Marshal.PtrToStringUTF8(calls.Text(status))}); what was computed is kept: run again, and 'transfer doctor' "
                    + $"tries each GPU"
            );
    }

    /// <summary>
    /// Clears an error that was handled: CUDA keeps a thread's last one, and ONNX Runtime, which reads it after each kernel, would
    /// take it for the kernel's.
    /// </summary>
    private static void ClearError(nint library) => ((delegate* unmanaged<int>)NativeLibrary.GetExport(library, "cudaGetLastError"))();

    /// <summary>The functions that every batch calls.</summary>
    private sealed unsafe class Calls
    {
        private readonly nint _library = NativeLibrary.Load(Library);

        public Calls()
        {
            SetDevice = (delegate* unmanaged<int, int>)NativeLibrary.GetExport(_library, "cudaSetDevice");
            Copy = (delegate* unmanaged<nint, nint, nuint, int, int>)NativeLibrary.GetExport(_library, "cudaMemcpy");
            Synchronize = (delegate* unmanaged<nint, int>)NativeLibrary.GetExport(_library, "cudaStreamSynchronize");
            Text = (delegate* unmanaged<int, nint>)NativeLibrary.GetExport(_library, "cudaGetErrorString");
        }

        public delegate* unmanaged<int, int> SetDevice { get; }

        public delegate* unmanaged<nint, nint, nuint, int, int> Copy { get; }

        public delegate* unmanaged<nint, int> Synchronize { get; }

        public delegate* unmanaged<int, nint> Text { get; }
    }
}
