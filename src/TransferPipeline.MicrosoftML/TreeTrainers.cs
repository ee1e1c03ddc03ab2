using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Trainers;
using Microsoft.ML.Trainers.FastTree;
using Microsoft.ML.Trainers.LightGbm;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.MicrosoftML;

/// <summary>A trained ensemble that adds column Score, and the Platt sigmoid of that score.</summary>
/// <param name="Values">Number of splits and leaves.</param>
internal sealed record CalibratedTrees(ITransformer Scorer, PlattCalibrator Platt, long Values);

/// <summary>ML.NET's tree trainers with their options by ML.NET's names; the number of threads is fixed, for the same seed must give the same trees.</summary>
internal static class TreeTrainers
{
    private static readonly HeadOption[] Shape =
    [
        new("NumberOfTrees", HeadOptionKind.Integer, "100", "trees a class") { Minimum = 1 },
        new("NumberOfLeaves", HeadOptionKind.Integer, "20", "leaves a tree at most") { Minimum = 2 },
        new("MinimumExampleCountPerLeaf", HeadOptionKind.Integer, "10", "rows a leaf at least") { Minimum = 1 },
        new("FeatureFraction", HeadOptionKind.Number, "0.1", "share of the features that a tree may use; ML.NET's 1 takes ten times as long") { Minimum = 0, Maximum = 1, ExclusiveMinimum = true },
    ];

    public static IReadOnlyList<HeadOption> ForestOptions => Shape;

    public static IReadOnlyList<HeadOption> BoostedOptions { get; } =
    [
        .. Shape,
        new("LearningRate", HeadOptionKind.Number, "0.2", "share of each tree that is added") { Minimum = 0, ExclusiveMinimum = true },
    ];

    public static IReadOnlyList<HeadOption> LightGbmOptions { get; } =
    [
        new("NumberOfIterations", HeadOptionKind.Integer, "100", "trees a class") { Minimum = 1 },
        new("NumberOfLeaves", HeadOptionKind.Integer, "20", "leaves a tree at most") { Minimum = 2 },
        new("MinimumExampleCountPerLeaf", HeadOptionKind.Integer, "10", "rows a leaf at least") { Minimum = 1 },
        new("LearningRate", HeadOptionKind.Number, "0.1", "share of each tree that is added") { Minimum = 0, ExclusiveMinimum = true },
    ];

    public static CalibratedTrees FastForest(MLContext ml, HeadSettings settings, int seed, IDataView rows)
    {
        var scorer = ml.BinaryClassification.Trainers.FastForest(Set(new FastForestBinaryTrainer.Options(), settings, seed)).Fit(rows);
        return new(scorer, LinearTrainers.Platt(ml, scorer.Transform(rows)), Values(scorer.Model.TrainedTreeEnsemble.Trees));
    }

    public static CalibratedTrees FastTree(MLContext ml, HeadSettings settings, int seed, IDataView rows)
    {
        var options = Set(new FastTreeBinaryTrainer.Options(), settings, seed);
        options.LearningRate = settings.Number("LearningRate");
        var scorer = ml.BinaryClassification.Trainers.FastTree(options).Fit(rows);
        return new(scorer, scorer.Model.Calibrator, Values(scorer.Model.SubModel.TrainedTreeEnsemble.Trees));
    }

    public static CalibratedTrees LightGbm(MLContext ml, HeadSettings settings, int seed, IDataView rows)
    {
        var scorer = ml.BinaryClassification.Trainers.LightGbm(new LightGbmBinaryTrainer.Options
        {
            NumberOfIterations = settings.Integer("NumberOfIterations"),
            NumberOfLeaves = settings.Integer("NumberOfLeaves"),
            MinimumExampleCountPerLeaf = settings.Integer("MinimumExampleCountPerLeaf"),
            LearningRate = settings.Number("LearningRate"),
            NumberOfThreads = 1,
            Deterministic = true,
            ForceColumnWise = true,
            Seed = seed,
        }).Fit(rows);
        return new(scorer, scorer.Model.Calibrator, Values(scorer.Model.SubModel.TrainedTreeEnsemble.Trees));
    }

    private static TOptions Set<TOptions>(TOptions options, HeadSettings settings, int seed)
        where TOptions : TreeOptions
    {
        options.NumberOfTrees = settings.Integer("NumberOfTrees");
        options.NumberOfLeaves = settings.Integer("NumberOfLeaves");
        options.MinimumExampleCountPerLeaf = settings.Integer("MinimumExampleCountPerLeaf");
        options.FeatureFraction = settings.Number("FeatureFraction");

        // With one thread ML.NET hands every feature to the thread pool and waits for it, one by one.
        options.NumberOfThreads = 2;

        // Else it collects all garbage after every tree, to write memory into a log that nobody reads.
        options.MemoryStatistics = false;
        options.Seed = seed;
        options.FeatureSelectionSeed = seed;
        return options;
    }

    private static long Values(IEnumerable<RegressionTreeBase> trees) => trees.Sum(tree => (long)tree.NumberOfNodes + tree.NumberOfLeaves);
}
