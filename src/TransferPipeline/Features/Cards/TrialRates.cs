using System.Diagnostics;
using TransferPipeline.Backbones;
using TransferPipeline.Features.Extraction;

namespace TransferPipeline.Features.Cards;

/// <summary>Short measurements at the start of a run: of a card alone, and of decoding alone.</summary>
internal static class TrialRates
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(200);

    /// <summary>Photos a second of one card at a batch size, all its lanes at work as in the run, so that they need the memory that the run will.</summary>
    /// <param name="host">Memory of the batches.</param>
    public static double OfCard(IReadOnlyList<Lane> lanes, TensorMemory host, CutModel model, int size)
    {
        var batches = new List<HostBatch>();
        var runners = new List<BoundRunner>();
        try
        {
            foreach (var lane in lanes)
            {
                batches.Add(new(host, model, size));
                runners.Add(new(lane.Session, model, lane.Memory, size));
                // cuDNN chooses its kernels at the first batch of a size.
                runners[^1].Run(batches[^1]);
            }

            var photos = 0;
            var clock = Stopwatch.StartNew();
            OwnThreads.Run(lanes.Count, lane =>
            {
                for (var runs = 0; runs < 3 || clock.Elapsed < Least; runs++)
                {
                    runners[lane].Run(batches[lane]);
                    Interlocked.Add(ref photos, size);
                }
            });
            return photos / clock.Elapsed.TotalSeconds;
        }
        finally
        {
            runners.ForEach(r => r.Dispose());
            batches.ForEach(b => b.Dispose());
        }
    }

    /// <summary>Photos (views counted) a second that so many threads read, decode and resize.</summary>
    /// <param name="next">The photo to go on with; photos are not read twice, as files that were just read would flatter.</param>
    public static double OfDecoding(ExtractionJob job, int threads, ref int next)
    {
        var (entry, done) = (next - 1, 0);
        var clock = Stopwatch.StartNew();
        OwnThreads.Run(threads, _ =>
        {
            var reader = new TrialReader(job);
            do
                Interlocked.Add(ref done, reader.Read(Interlocked.Increment(ref entry) % job.Dataset.Entries.Count));
            while (clock.Elapsed < Least);
        });
        next = entry + 1;
        return done / clock.Elapsed.TotalSeconds;
    }
}
