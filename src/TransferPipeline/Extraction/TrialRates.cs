using System.Diagnostics;
using TransferPipeline.Backbones;
using TransferPipeline.Inference;
using TransferPipeline.Inference.Gpu;

namespace TransferPipeline.Extraction;

/// <summary>Short measurements at the start of a run: of a GPU alone, and of decoding alone.</summary>
internal static class TrialRates
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Photos per second of one GPU at a batch size, all its lanes at work as in the run, so that they need the memory that the run will.
    /// </summary>
    /// <param name="host">Memory of the batches.</param>
    public static double OfGpu(IReadOnlyList<GpuLane> lanes, TensorMemory host, CutModel model, int size)
    {
        var batches = new List<BatchTensors>();
        var runners = new BoundRunner?[lanes.Count];
        try
        {
            foreach (var _ in lanes)
                batches.Add(new BatchTensors(host, model, size).Clear());
            // One after the other, so that an error is the first's; cuDNN chooses its kernels at the first batch of a size.
            for (var i = 0; i < lanes.Count; i++)
                lanes[i].Thread.Run(() => (runners[i] = new(lanes[i].Session, model, lanes[i].Memory, size)).Run(batches[i]));
            var photos = 0;
            var clock = Stopwatch.StartNew();
            Together(
                lanes,
                lane =>
                {
                    // Three at least, as one large batch may take longer than the least time.
                    for (var runs = 0; runs < 3 || clock.Elapsed < Least; runs++)
                    {
                        runners[lane]!.Run(batches[lane]);
                        Interlocked.Add(ref photos, size);
                    }
                }
            );
            return photos / clock.Elapsed.TotalSeconds;
        }
        finally
        {
            foreach (var runner in runners)
                runner?.Dispose();
            batches.ForEach(b => b.Dispose());
        }
    }

    /// <summary>
    /// All lanes compute a batch, so that a run begins at its full speed and with the memory that it needs: for each shape cuDNN chooses
    /// kernels, and compiles those with a bias, which takes seconds, and ONNX Runtime keeps them for the last shape alone (conv.cc:
    /// last_x_dims).
    /// </summary>
    public static void Warm(IReadOnlyList<GpuLane> lanes, TensorMemory host, CutModel model, int size)
    {
        var batches = new List<BatchTensors>();
        try
        {
            foreach (var _ in lanes)
                batches.Add(new BatchTensors(host, model, size).Clear());
            Together(
                lanes,
                i =>
                {
                    using var runner = new BoundRunner(lanes[i].Session, model, lanes[i].Memory, size);
                    runner.Run(batches[i]);
                }
            );
        }
        finally
        {
            batches.ForEach(b => b.Dispose());
        }
    }

    /// <summary>Photos (views counted) per second that so many threads read, decode and resize.</summary>
    /// <param name="next">The photo to go on with; photos are not read twice, as files that were just read would flatter.</param>
    public static double OfDecoding(ExtractionSpec spec, int threads, ref int next)
    {
        var (entry, done) = (next - 1, 0);
        var clock = Stopwatch.StartNew();
        OwnThreads.Run(
            threads,
            _ =>
            {
                var (source, pixels) = (new PhotoSource(spec, new()), Array.Empty<byte>());
                do Interlocked.Add(
                    ref done,
                    Produce(source, spec, Interlocked.Increment(ref entry) % spec.Dataset.Entries.Count, ref pixels)
                );
                while (clock.Elapsed < Least);
            }
        );
        next = entry + 1;
        return done / clock.Elapsed.TotalSeconds;
    }

    /// <summary>
    /// Takes a photo and its views from file to the bytes that a GPU takes; nothing is kept, and photos that fail are for the run to
    /// report.
    /// </summary>
    /// <returns>The number of pictures that this makes.</returns>
    public static int Produce(PhotoSource source, ExtractionSpec spec, int entry, ref byte[] pixels)
    {
        var views = spec.Views?.Count ?? 0;
        if (pixels.Length < source.PixelsPerPhoto)
            pixels = new byte[source.PixelsPerPhoto];
        try
        {
            source.Read(entry, plainOnly: views == 0);
            for (var view = 0; view <= views; view++)
                source.WriteBytes(view, pixels);
        }
        catch (Exception e) when (PhotoSource.IsOfPhoto(e)) { }

        return 1 + views;
    }

    /// <summary>Runs on every lane's thread at once, waits for all, and throws the first error.</summary>
    private static void Together(IReadOnlyList<GpuLane> lanes, Action<int> body) =>
        Task.WhenAll(lanes.Select((lane, i) => lane.Thread.Start(() => body(i)))).GetAwaiter().GetResult();
}
