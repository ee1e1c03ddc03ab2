using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;

namespace TransferPipeline.Features.Cards;

/// <param name="PerSecond">Photos a second, model only, bytes in and vectors out.</param>
internal readonly record struct TriedBatch(int Batch, double PerSecond);

/// <summary>Finds a card's batch: larger ones are tried until they bring no more or do not fit into its memory.</summary>
internal static class BatchTrial
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(200);

    /// <summary>A batch twice as large has to be faster by this much.</summary>
    private const double Gain = 1.03;

    /// <param name="largest">No larger batch is of use: the photos that there are, or the model's own limit.</param>
    public static IReadOnlyList<TriedBatch> Run(InferenceSession session, HostMemory memory, CutModel model, int largest)
    {
        var tried = new List<TriedBatch>();
        for (var size = Math.Min(8, largest); size <= Math.Min(512, largest); size *= 2)
        {
            try
            {
                tried.Add(new(size, Rate(session, memory, model, size)));
            }
            catch (OnnxRuntimeException) when (tried.Count > 0)
            {
                // It did not fit; the smaller ones did.
                break;
            }

            if (tried.Count > 2 && tried[^1].PerSecond < tried[^3].PerSecond * Gain)
                break;
        }

        return tried;
    }

    /// <summary>The smallest batch that is nearly as fast as the fastest: less waiting at the end, less memory.</summary>
    public static int Pick(IReadOnlyList<TriedBatch> tried)
    {
        var best = tried.Max(t => t.PerSecond);
        return tried.First(t => t.PerSecond * Gain >= best).Batch;
    }

    public static string Describe(IReadOnlyList<TriedBatch> tried) =>
        string.Join(", ", tried.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Batch}: {t.PerSecond:0}/s")));

    private static double Rate(InferenceSession session, HostMemory memory, CutModel model, int size)
    {
        using var batch = new HostBatch(memory, model, size);
        using var runner = new CardRunner(session, model);
        runner.Run(batch);
        var (clock, runs) = (Stopwatch.StartNew(), 0);
        while (runs < 3 || clock.Elapsed < Least)
        {
            runner.Run(batch);
            runs++;
        }

        return runs * size / clock.Elapsed.TotalSeconds;
    }
}
