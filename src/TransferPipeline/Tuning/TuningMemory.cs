using System.Globalization;

namespace TransferPipeline.Tuning;

/// <summary>What training will take of the memory, compared with what is free.</summary>
internal static class TuningMemory
{
    /// <summary>What the program, libtorch and ONNX Runtime take besides.</summary>
    private const long Base = 300L << 20;

    /// <summary>Bytes that a training takes at most.</summary>
    public static long Estimate(ITunedPart part, TunerOptions options, int batch, long inputValues)
    {
        // Two batches of activations are in memory: the one that is computed and the next.
        var batches = Base + part.WeightBytes + 2 * batch * inputValues * sizeof(float);
        // A GPU has memory of its own.
        if (options.Device == TunerDevice.Cuda)
            return batches;
        var shard = Blocks.Count(batch, part.Shards);
        // Shards wait for a free thread, and hold activations only while they are computed, unless they wait for each other.
        var photos = part.KeepsBatch ? batch : Math.Min(batch, shard * Math.Min(options.Threads, part.Shards));
        return batches + part.ActivationBytesPerPhoto * photos;
    }

    /// <exception cref="JobFailedException">More is needed than is free.</exception>
    /// <exception cref="UsageException">A batch does not fit into one array.</exception>
    public static void Require(long needed, int batch, long inputValues, string cut)
    {
        if (batch * inputValues > Array.MaxLength)
            throw new UsageException(
                FormattableString.Invariant($"{batch} photos in a step have {batch * inputValues:N0} values at '{cut}', and a step ")
                    + FormattableString.Invariant(
                        $"takes at most {Array.MaxLength:N0}: take --batch {Array.MaxLength / inputValues} or less"
                    )
            );
        if (Free() is { } free && needed > free)
            throw new JobFailedException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"training above '{cut}' with {batch} photos in a step takes about {needed / 1e9:0.0} GB of memory, and "
                        + $"{free / 1e9:0.0} GB "
                        + $"are free; take a smaller --batch, fewer --threads, or a cut nearer to the feature (transfer inspect --cuts)"
                )
            );
    }

    /// <summary>Bytes that can be had without swapping; null where the system does not state it.</summary>
    private static long? Free()
    {
        const string File = "/proc/meminfo";
        if (!System.IO.File.Exists(File))
            return null;
        // MemAvailable and not MemFree: the files that an extraction left in the page cache can be dropped.
        var line = System.IO.File.ReadLines(File).FirstOrDefault(l => l.StartsWith("MemAvailable:", StringComparison.Ordinal));
        if (
            line is null
            || !long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture, out var kib)
        )
            return null;
        // A container may have less than the machine.
        var limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return limit > 0 ? Math.Min(kib * 1024, limit) : kib * 1024;
    }
}
