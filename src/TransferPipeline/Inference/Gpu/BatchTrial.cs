using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace TransferPipeline.Inference.Gpu;

/// <param name="PerSecond">Photos per second of one GPU, model only: bytes in and vectors out.</param>
internal readonly record struct TriedBatch(int Batch, double PerSecond);

/// <summary>Finds a GPU's batch: larger ones are tried until they bring no more or do not fit into its memory.</summary>
internal sealed class BatchTrial
{
    private const int First = 8;
    private const int Last = 512;

    /// <summary>A larger batch has to be faster by this much.</summary>
    private const double Gain = 1.03;

    private readonly List<TriedBatch> _tried = [];

    private BatchTrial() { }

    public IReadOnlyList<TriedBatch> Tried => _tried;

    /// <summary>Why no larger batch was tried, when it was for memory.</summary>
    public string? Limit { get; private set; }

    /// <summary>The smallest batch that is nearly as fast as the fastest: less waiting at the end, less memory.</summary>
    public TriedBatch Best => _tried.First(t => t.PerSecond * Gain >= _tried.Max(o => o.PerSecond));

    /// <param name="rate">Photos per second at a batch size.</param>
    /// <param name="freeMemory">Bytes that are free on the GPU now; null where that is unknown.</param>
    /// <param name="largest">No larger batch is of use: the photos that there are, the model's own limit, or the host's memory.</param>
    /// <exception cref="JobFailedException">Not even one photo fits.</exception>
    public static BatchTrial Run(Func<int, double> rate, Func<long?> freeMemory, int largest)
    {
        var trial = new BatchTrial();
        var freeAtStart = freeMemory();
        for (var size = Math.Min(First, largest); size <= Math.Min(Last, largest); size *= 2)
        {
            // The first size runs in any case, since nothing is known of the memory that a photo needs.
            if (trial._tried.Count > 0 && WouldNotFit(freeAtStart, freeMemory()))
            {
                trial.Limit = string.Create(
                    CultureInfo.InvariantCulture,
                    $"batches of {size} would take more than the {freeMemory() / 1e9:0.0} GB that are free"
                );
                break;
            }

            if (!trial.Try(rate, size))
                break;
            // Two doublings together have to bring the gain: one alone may be lost in the noise of a short trial.
            if (trial._tried.Count > 2 && trial._tried[^1].PerSecond < trial._tried[^3].PerSecond * Gain)
                break;
        }

        return trial;
    }

    public override string ToString() =>
        $"tried {string.Join(", ", _tried.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Batch}: {t.PerSecond:0}/s")))}"
        + $"{(Limit is null ? "" : $"; {Limit}")}";

    /// <summary>
    /// What all batches so far took is at most what the last one needs and what the smaller ones left in the arena; twice that is the
    /// most that the next one adds.
    /// </summary>
    private static bool WouldNotFit(long? atStart, long? now) => atStart is { } start && now is { } free && 2 * (start - free) > free;

    /// <summary>Tries a size; the first goes down until it fits. False when this size does not fit.</summary>
    private bool Try(Func<int, double> rate, int size)
    {
        for (var smaller = size; ; smaller /= 2)
        {
            try
            {
                _tried.Add(new(smaller, rate(smaller)));
                return smaller == size;
            }
            catch (OnnxRuntimeException e) when (GpuErrors.IsExhausted(e))
            {
                // Any other error does not depend on the size and must not be hidden.
                Limit = $"batches of {smaller} do not fit into the GPU's memory";
                if (_tried.Count > 0)
                    return false;
                if (smaller == 1)
                    throw new JobFailedException(
                        $"not even one photo at a time fits into the GPU's memory ({GpuErrors.Brief(e)}): end what else uses the GPU, "
                            + $"or raise --device-memory",
                        e
                    );
            }
        }
    }
}
