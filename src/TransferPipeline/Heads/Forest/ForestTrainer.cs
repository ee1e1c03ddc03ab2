using System.Collections.Concurrent;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>
/// Randomized decision trees whose class shares are averaged: scikit-learn's RandomForestClassifier (Gini), or ExtraTreesClassifier.
/// </summary>
/// <remarks>
/// Thresholds are looked for between 256 bins of each column (exact up to 256 distinct values), which makes it several times faster.
/// Trees differ from scikit-learn's, whose random numbers are others; their accuracy is the same.
/// </remarks>
internal sealed class ForestTrainer() : HeadTrainer<Forest>(new Forest())
{
    public override string Name => "forest";

    public override string Summary =>
        "randomized trees, Gini, 256 bins per column (RandomForestClassifier; with splitter=random bootstrap=false ExtraTreesClassifier)";

    protected override IHead Fit(TrainingRows data, Forest options, TrainingContext context)
    {
        var counts = TrainingCheck.Counts(data, context);
        var limits = TreeLimits.Of(options, data.X.Columns);
        var labels = Array.ConvertAll(data.Rows, row => data.Y[row]);
        var weights = ClassWeights.OfOrNull(Name, options, counts, data.ClassNames) is { } given
            ? Array.ConvertAll(given, w => (double)w)
            : null;
        // Extra trees gather many columns of each row, best splits scan one column of many rows: the layout follows.
        var bins = new BinnedFeatures(data.X, data.Rows, limits.RandomThresholds, context.Threads, context.Cancellation);
        var trees = new Tree[limits.Trees];
        var builders = new ConcurrentBag<TreeBuilder>();
        Blocks.For(
            trees.Length,
            1,
            context.Threads,
            (_, tree, _) =>
            {
                // A builder's buffers are as long as the rows, so threads reuse them. Trees do not depend on
                // which builder grew them.
                var builder = builders.TryTake(out var idle) ? idle : new TreeBuilder(bins, limits, labels, data.ClassCount, weights);
                trees[tree] = builder.Grow(context.Seed, tree);
                builders.Add(builder);
            },
            context.Cancellation
        );
        return new ForestHead(trees, data.X.Columns, data.ClassCount, options);
    }
}
