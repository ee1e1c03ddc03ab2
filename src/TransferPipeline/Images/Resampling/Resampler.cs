using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TransferPipeline.Images;

/// <summary>Takes the finished rows of a resize, top to bottom.</summary>
internal interface IRowSink
{
    /// <param name="y">Row of the kept part, from 0.</param>
    /// <param name="row">Its pixels, R G B.</param>
    void Row(int y, ReadOnlySpan<byte> row);
}

/// <summary>
/// Pillow's 8-bit resize, horizontal pass first, computing only a kept part of the result. Rows stream through a ring that is
/// as high as the tallest vertical window, so the memory does not grow with the photo. Not thread-safe: one per worker.
/// </summary>
internal sealed unsafe class Resampler(ResampleKernel kernel)
{
    private const int CachedAxes = 8;
    private const long MostRingBytes = 256L << 20;

    private readonly Dictionary<(int From, int To, int First, int Count, Interpolation), ResampleAxis> _axes = [];
    private byte[] _ring = [];
    private byte[] _row = [];
    private nint[] _pointers = [];

    /// <summary>
    /// Resizes <paramref name="box"/> of the source to width x height (as PIL's <c>crop(box).resize(...)</c>) and gives the
    /// rows of <paramref name="keep"/>, a part of that result, to the sink.
    /// </summary>
    public void Run<TSink>(RgbImage source, PixelBox box, int width, int height, PixelBox keep, Interpolation interpolation, ref TSink sink)
        where TSink : struct, IRowSink, allows ref struct
    {
        var across = Axis(box.Width, width, keep.X, keep.Width, interpolation);
        var down = Axis(box.Height, height, keep.Y, keep.Height, interpolation);
        var rowBytes = keep.Width * 3;
        // The horizontal pass writes 4 bytes for the 3 of each pixel.
        var stride = (rowBytes + 4 + ResampleKernel.RowAlignment - 1) / ResampleKernel.RowAlignment * ResampleKernel.RowAlignment;

        // Room for a whole window and the rows that the horizontal pass computes beyond it in one go.
        var slots = (down.Longest + 2 * ResampleKernel.RowsAtOnce - 1) / ResampleKernel.RowsAtOnce * ResampleKernel.RowsAtOnce;
        // Only photos that are very long and narrow need more: their windows or their resized rows are huge.
        if ((long)slots * stride > MostRingBytes)
            throw new ImageDecodeException($"{box.Width} x {box.Height} pixels take too much memory to resize to {width} x {height}");
        var ring = Reserve(ref _ring, (long)slots * stride);
        var finished = Reserve(ref _row, stride);
        if (_pointers.Length < down.Longest + 1)
            _pointers = GC.AllocateUninitializedArray<nint>(down.Longest + 1, pinned: true);
        var rows = (byte**)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_pointers));

        var pixels = source.Address + ((nint)box.Y * source.Width + box.X) * 3;
        var computed = down.Starts[0];
        for (var y = 0; y < keep.Height; y++)
        {
            var (start, length) = (down.Starts[y], down.Lengths[y]);
            // Nearest alone leaves source rows out; windows of filters overlap.
            if (computed < start && down.IsSelection)
                computed = start;
            for (; computed < start + length; computed += ResampleKernel.RowsAtOnce)
                Across(pixels, (nint)source.Width * 3, computed, box.Height, across, ring, stride, slots);

            var slot = start % slots;
            for (var t = 0; t < length; t++)
            {
                rows[t] = ring + (nint)slot * stride;
                slot = slot + 1 == slots ? 0 : slot + 1;
            }

            // Vector kernels take rows in pairs: behind an odd last row they load this one, with the weight 0.
            rows[length] = rows[length - 1];
            if (down.IsSelection)
            {
                sink.Row(y, new ReadOnlySpan<byte>(rows[0], rowBytes));
                continue;
            }

            kernel.Vertical(rows, down, y, finished, rowBytes);
            sink.Row(y, new ReadOnlySpan<byte>(finished, rowBytes));
        }

        // The loops hold an address alone, and the pixels live as long as their image.
        GC.KeepAlive(source);
    }

    /// <summary>The part of the source that <see cref="Run"/> reads; what its vector loads take beyond that has the weight 0.</summary>
    public PixelBox Reads(PixelBox box, int width, int height, PixelBox keep, Interpolation interpolation)
    {
        var across = Axis(box.Width, width, keep.X, keep.Width, interpolation);
        var down = Axis(box.Height, height, keep.Y, keep.Height, interpolation);
        return new(box.X + across.Starts[0], box.Y + down.Starts[0], across.End - across.Starts[0], down.End - down.Starts[0]);
    }

    /// <summary>The horizontal pass for four rows from <paramref name="first"/>; past the last row it repeats that one.</summary>
    private void Across(byte* pixels, nint sourceStride, int first, int height, ResampleAxis axis, byte* ring, int stride, int slots)
    {
        var sources = stackalloc byte*[ResampleKernel.RowsAtOnce];
        var destinations = stackalloc byte*[ResampleKernel.RowsAtOnce];
        for (var i = 0; i < ResampleKernel.RowsAtOnce; i++)
        {
            sources[i] = pixels + Math.Min(first + i, height - 1) * sourceStride;
            destinations[i] = ring + (nint)((first + i) % slots) * stride;
            if (axis.IsSelection)
                Select(sources[i], axis, destinations[i]);
        }

        if (!axis.IsSelection)
            kernel.Horizontal(sources, axis, destinations);
    }

    private static void Select(byte* source, ResampleAxis axis, byte* destination)
    {
        var starts = axis.Starts;
        if (axis.IsContiguous)
        {
            Buffer.MemoryCopy(source + (nint)starts[0] * 3, destination, starts.Length * 3, starts.Length * 3);
            return;
        }

        foreach (var start in starts)
        {
            var pixel = source + (nint)start * 3;
            (destination[0], destination[1], destination[2]) = (pixel[0], pixel[1], pixel[2]);
            destination += 3;
        }
    }

    /// <summary>Photos of one dataset often share a size, and weights cost as much as a tenth of a resize.</summary>
    private ResampleAxis Axis(int from, int to, int first, int count, Interpolation interpolation)
    {
        var key = (from, to, first, count, interpolation);
        if (_axes.TryGetValue(key, out var axis))
            return axis;
        if (_axes.Count == CachedAxes)
            _axes.Clear();
        return _axes[key] = ResampleAxis.Create(from, to, first, count, interpolation);
    }

    private static byte* Reserve(ref byte[] buffer, long bytes)
    {
        // Vector loads of the vertical pass stay inside a stride, which is a multiple of their width.
        if (buffer.Length < bytes)
            buffer = GC.AllocateUninitializedArray<byte>((int)bytes, pinned: true);
        return (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(buffer));
    }
}
