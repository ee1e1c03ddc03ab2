using TransferPipeline.Features;

namespace TransferPipeline.Extraction;

/// <summary>Where an extraction stands.</summary>
/// <param name="Done">Vectors done in this run, failed ones included.</param>
/// <param name="Total">Vectors to compute in this run.</param>
/// <param name="PerSecond">Vectors per second since the start.</param>
/// <param name="Left">Estimated time left.</param>
public sealed record ExtractionProgress(long Done, long Total, double PerSecond, TimeSpan Left)
{
    internal TimeShares Shares { get; init; }
}

/// <summary>
/// Shares of the time of workers and writer, which sum to 1: read (with hash), decode, preprocess, infer, write.
/// </summary>
internal readonly record struct TimeShares(double Read, double Decode, double Preprocess, double Infer, double Write);

/// <summary>How one feature set came out of a run.</summary>
/// <param name="Folder">The set's folder; not the requested one when the recipe there was another.</param>
/// <param name="Computed">Vectors that were computed in this run.</param>
/// <param name="Reused">Vectors that were already there.</param>
/// <param name="Failed">Photos that cannot be used, earlier ones included.</param>
/// <param name="Removed">Vectors dropped, their photos being gone or changed.</param>
/// <param name="Seconds">Wall time of the whole run.</param>
/// <param name="Differences">In what the set in the requested folder differs, when this one is another.</param>
internal sealed record ExtractionResult(
    string Folder,
    int Dimension,
    int Computed,
    int Reused,
    int Failed,
    int Removed,
    double Seconds,
    IReadOnlyList<RecipeDifference> Differences
)
{
    /// <summary>Wall time from the first photo's reading to the last commit; 0 when nothing was computed.</summary>
    public double ComputeSeconds { get; init; }

    /// <summary>Processor time of all threads in that time.</summary>
    public double ComputeProcessorSeconds { get; init; }
}
