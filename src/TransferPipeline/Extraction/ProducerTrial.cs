using System.Globalization;

namespace TransferPipeline.Extraction;

/// <param name="PerSecond">Photos per second from file to bytes in a batch.</param>
internal readonly record struct TriedProducers(int Threads, double PerSecond);

/// <summary>
/// Finds how many threads decode: as few as feed the GPUs, or, where none can, as few as are nearly as fast as any. No vector depends on
/// it.
/// </summary>
internal sealed class ProducerTrial
{
    /// <summary>Photos differ, and the GPUs' own threads want time too.</summary>
    private const double Reserve = 1.25;

    /// <summary>More threads have to be faster by this much.</summary>
    private const double Gain = 1.03;

    private readonly List<TriedProducers> _tried = [];
    private readonly double _needed;

    private ProducerTrial(double needed) => _needed = needed * Reserve;

    public int Best => _tried.Last(t => t.PerSecond >= Enough).Threads;

    private double Enough => Math.Min(_needed, _tried.Max(t => t.PerSecond) / Gain);

    /// <param name="rate">Photos per second that this many threads decode.</param>
    /// <param name="needed">Photos per second that all GPUs take.</param>
    /// <param name="most">Threads to use at most; tried first, then half of it, and so on.</param>
    public static ProducerTrial Run(Func<int, double> rate, double needed, int most)
    {
        var trial = new ProducerTrial(needed);
        // From the top: where no number of threads feeds the GPUs, the highest rate shows what is nearly as good.
        for (var threads = most; threads > 0; threads /= 2)
        {
            trial._tried.Add(new(threads, rate(threads)));
            if (trial._tried[^1].PerSecond < trial.Enough)
                break;
        }

        return trial;
    }

    public override string ToString() =>
        $"tried {string.Join(", ", _tried.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Threads}: {t.PerSecond:0}/s")))}";
}
