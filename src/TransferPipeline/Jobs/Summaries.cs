using TransferPipeline.Evaluation;
using TransferPipeline.Features;

namespace TransferPipeline.Jobs;

/// <summary>What a comparison states of its inputs.</summary>
internal static class Summaries
{
    // A merged set states no cost: its seconds are unknown, and 0 would look measured.
    public static FeatureSetSummary Of(FeatureSet set) =>
        new(
            set.Folder,
            set.Recipe.Model,
            $"{set.Recipe.Cut}{(set.Recipe.Pooling == "none" ? "" : " " + set.Recipe.Pooling)}",
            set.Dimension,
            set.Manifest.Cost.Photos > 0 ? set.Manifest.Cost.Seconds : double.NaN,
            set.Recipe.Fields().ToDictionary(f => f.Key, f => f.Value)
        );
}
