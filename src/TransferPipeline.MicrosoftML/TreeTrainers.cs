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
    public static CalibratedTrees FastForest(MLContext ml, MlNetFastForest from, int seed, IDataView rows)
    {
        var scorer = ml.BinaryClassification.Trainers.FastForest(Set(new FastForestBinaryTrainer.Options(), from, seed)).Fit(rows);
        return new(scorer, LinearTrainers.Platt(ml, scorer.Transform(rows)), Values(scorer.Model.TrainedTreeEnsemble.Trees));
    }

    public static CalibratedTrees FastTree(MLContext ml, MlNetFastTree from, int seed, IDataView rows)
    {
        var options = Set(new FastTreeBinaryTrainer.Options(), from, seed);
        options.LearningRate = from.LearningRate;
        var scorer = ml.BinaryClassification.Trainers.FastTree(options).Fit(rows);
        return new(scorer, scorer.Model.Calibrator, Values(scorer.Model.SubModel.TrainedTreeEnsemble.Trees));
    }

    public static CalibratedTrees LightGbm(MLContext ml, MlNetLightGbm from, int seed, IDataView rows)
    {
        var scorer = ml.BinaryClassification.Trainers.LightGbm(new LightGbmBinaryTrainer.Options
        {
            NumberOfIterations = from.NumberOfIterations,
            NumberOfLeaves = from.NumberOfLeaves,
            MinimumExampleCountPerLeaf = from.MinimumExampleCountPerLeaf,
            LearningRate = from.LearningRate,
            NumberOfThreads = 1,
            Deterministic = true,
            ForceColumnWise = true,
            Seed = seed,
        }).Fit(rows);
        return new(scorer, scorer.Model.Calibrator, Values(scorer.Model.SubModel.TrainedTreeEnsemble.Trees));
    }

    private static TOptions Set<TOptions>(TOptions options, MlNetTrees from, int seed)
        where TOptions : TreeOptions
    {
        options.NumberOfTrees = from.NumberOfTrees;
        options.NumberOfLeaves = from.NumberOfLeaves;
        options.MinimumExampleCountPerLeaf = from.MinimumExampleCountPerLeaf;
        options.FeatureFraction = from.FeatureFraction;

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
