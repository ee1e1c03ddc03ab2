using TransferPipeline.Evaluation;
using TransferPipeline.Features;

namespace TransferPipeline.Jobs;

/// <summary>What a comparison says of its inputs.</summary>
public static class Summaries
{
    public static FeatureSetSummary Of(FeatureSet set) => new(
        set.Folder, set.Recipe.Model, $"{set.Recipe.Cut}{(set.Recipe.Pooling == "none" ? "" : " " + set.Recipe.Pooling)}", set.Dimension,
        set.Manifest.Cost.Photos > 0 ? set.Manifest.Cost.Seconds : double.NaN, set.Recipe.Fields().ToDictionary(f => f.Key, f => f.Value));

    public static ComparisonOptions ToOptions(this EvaluationSection section, ComparisonOptions start) => start with
    {
        ScoreSplit = section.On,
        Folds = section.Protocol == "k-fold" ? section.Folds : 0,
        Repeats = section.Repeats,
        ChooseBy = section.ChooseBy == "validation" ? ChooseBy.Validation : ChooseBy.InnerFolds,
        WatchReportedSplit = section.WatchReportedSplit,
        GroupNearDuplicates = section.GroupNearDuplicates,
        NearDuplicateCosine = section.NearDuplicateCosine,
        Calibrate = section.Calibrate,
        CheckData = section.DataCheck,
        FewShotPerClass = section.FewShot,
        FewShotDraws = section.Draws,
    };
}
