using System.Collections.Concurrent;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>Randomized decision trees whose class shares are averaged: scikit-learn's RandomForestClassifier (Gini), or ExtraTreesClassifier.</summary>
/// <remarks>
/// Thresholds are looked for between 256 bins a column (exact up to 256 distinct values), which is what makes it several times faster.
/// Trees differ from scikit-learn's, whose random numbers are others; their accuracy is the same.
/// </remarks>
public sealed class ForestTrainer : IHeadTrainer
{
    public string Name => "forest";

    public string Summary => "randomized trees, Gini, 256 bins a value (RandomForestClassifier; with splitter=random bootstrap=false ExtraTreesClassifier)";

    public string? Unavailable => null;

    public IReadOnlyList<HeadOption> Options { get; } =
    [
        new("n_estimators", HeadOptionKind.Integer, "200", "number of trees") { Minimum = 1, Maximum = 100_000 },
        new("max_features", HeadOptionKind.Text, "sqrt", "columns that a node looks at: sqrt, log2, all or a number"),
        new("max_depth", HeadOptionKind.Integer, "0", "deepest level of a tree, 0 for no limit") { Minimum = 0 },
        new("min_samples_split", HeadOptionKind.Integer, "2", "fewest rows that a node is divided with") { Minimum = 2 },
        new("min_samples_leaf", HeadOptionKind.Integer, "1", "fewest rows of a leaf") { Minimum = 1 },
        new("bootstrap", HeadOptionKind.Flag, "true", "each tree sees as many rows as there are, drawn with replacement"),
        new("splitter", HeadOptionKind.Choice, "best", "the best threshold of each column, or a random one (extra trees)") { Choices = ["best", "random"] },
        ClassWeights.Option,
    ];

    public IHead Train(TrainingRows data, HeadSettings settings, TrainingContext context)
    {
        var counts = TrainingCheck.Counts(data, context);
        var options = ForestOptions.Read(settings, data.X.Columns);
        var labels = Array.ConvertAll(data.Rows, row => data.Y[row]);
        var weights = ClassWeights.OfOrNull(settings, counts, data.ClassNames) is { } given ? Array.ConvertAll(given, w => (double)w) : null;
        var bins = new BinnedFeatures(data.X, data.Rows, options.RandomThresholds, context.Threads, context.Cancellation);
        var trees = new Tree[options.Trees];
        var builders = new ConcurrentBag<TreeBuilder>();
        Blocks.For(trees.Length, 1, context.Threads, (_, tree, _) =>
        {
            var builder = builders.TryTake(out var idle) ? idle : new TreeBuilder(bins, options, labels, data.ClassCount, weights);
            trees[tree] = builder.Grow(context.Seed, tree);
            builders.Add(builder);
        }, context.Cancellation);
        return new ForestHead(trees, data.X.Columns, data.ClassCount, settings);
    }
}
