using System.Runtime.InteropServices;

namespace TransferPipeline.Heads.Numerics;

/// <summary>Zeroed float32 values outside the garbage collector, aligned to a cache line so that no vector load crosses two.</summary>
internal sealed unsafe class FloatBuffer : IDisposable
{
    private const int CacheLine = 64;

    public FloatBuffer(long length)
    {
        Length = length;
        // What an allocation of 0 bytes returns depends on the platform.
        Pointer = (float*)NativeMemory.AlignedAlloc(checked((nuint)Math.Max(1, length) * sizeof(float)), CacheLine);
        NativeMemory.Clear(Pointer, (nuint)length * sizeof(float));
        // The collector sees a small object only; the pressure makes it collect buffers that nobody disposed.
        GC.AddMemoryPressure(Math.Max(1, length) * sizeof(float));
    }

    // The finalizer can run while a kernel still uses Pointer, if nothing else refers to the buffer: owners keep it reachable until then.
    ~FloatBuffer() => Free();

    public float* Pointer { get; private set; }

    public long Length { get; }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        // Disposed, or the allocation in the constructor failed: the finalizer runs then too.
        if (Pointer is null)
            return;
        NativeMemory.AlignedFree(Pointer);
        GC.RemoveMemoryPressure(Math.Max(1, Length) * sizeof(float));
        Pointer = null;
    }
}
