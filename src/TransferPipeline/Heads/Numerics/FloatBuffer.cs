using System.Runtime.InteropServices;

namespace TransferPipeline.Heads.Numerics;

/// <summary>Zeroed float32 values outside the garbage collector, aligned to a cache line so that no vector load crosses two.</summary>
internal sealed unsafe class FloatBuffer : IDisposable
{
    private const int CacheLine = 64;

    public FloatBuffer(long length)
    {
        Length = length;
        Pointer = (float*)NativeMemory.AlignedAlloc(checked((nuint)Math.Max(1, length) * sizeof(float)), CacheLine);
        NativeMemory.Clear(Pointer, (nuint)length * sizeof(float));
        GC.AddMemoryPressure(Math.Max(1, length) * sizeof(float));
    }

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
        if (Pointer is null)
            return;
        NativeMemory.AlignedFree(Pointer);
        GC.RemoveMemoryPressure(Math.Max(1, Length) * sizeof(float));
        Pointer = null;
    }
}
