using TransferPipeline.Features;

namespace TransferPipeline.Extraction;

/// <summary>How to extract; none of this changes a vector.</summary>
public sealed record ExtractionOptions
{
    /// <summary>Threads that decode and infer.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>On a GPU, fewer than <see cref="Workers"/> threads decode where a trial at the start finds that they suffice.</summary>
    public bool FewerWorkers { get; init; }

    /// <summary>Photos in a batch on a GPU; 0 finds it by a trial at the start.</summary>
    [Option("batch", "Photos in a batch on a GPU; 0 finds it by a trial.", Min = 0, Max = 65536)]
    public int Batch { get; init; }

    /// <summary>Read and hash every photo, even those that the file system says are unchanged.</summary>
    public bool Rehash { get; init; }

    /// <summary>Rows of a part file at most; null chooses by the vectors' length (<see cref="ExtractionSizes"/>).</summary>
    public int? RowsPerPart { get; init; }

    /// <summary>A run fails at its end when more than this share of the photos could not be used.</summary>
    [Option("max-failed", "Largest share of photos that may fail.", Min = 0, Max = 1)]
    public double MaxFailedShare { get; init; } = 0.05;

    /// <summary>How long to wait for another run on the same folder; zero stops at once.</summary>
    public TimeSpan LockWait { get; init; }

    /// <summary>Stamps of photos are written for the next run; a set that is deleted after its use has none.</summary>
    internal bool WritesStamps { get; init; } = true;

    internal Shard Shard { get; init; } = Shard.Whole;

    /// <summary>
    /// What happens when the folder's recipe differs: true makes another set in a folder beside it, named after the recipe; false is an
    /// error.
    /// Either way the first differing field is named.
    /// </summary>
    public bool NewSetBeside { get; init; } = true;

    /// <summary>Receives one-line messages: another recipe, waiting for a lock, parts that were damaged.</summary>
    public Action<string> Message { get; init; } = static _ => { };

    internal IProgress<ExtractionProgress>? Progress { get; init; }
}
