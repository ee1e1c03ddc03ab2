using System.Collections.Immutable;
using System.Runtime.CompilerServices;
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

/// <summary>
/// ML.NET's tree trainers with their options by ML.NET's names; the same seed gives the same trees, whatever the threads.
/// </summary>
internal static class TreeTrainers
{
    public static ITreeModel FastForest(TrainingRows data, MlNetFastForest from, TrainingContext context) =>
        OneAgainstAll(
            data,
            context,
            (ml, seed, rows) =>
            {
                var scorer = ml.BinaryClassification.Trainers.FastForest(Set(new FastForestBinaryTrainer.Options(), from, seed)).Fit(rows);
                // FastForest's model gives no probabilities, so they are fitted as OneVersusAll does.
                return new(scorer, LinearTrainers.Platt(ml, scorer.Transform(rows)), Values(scorer.Model.TrainedTreeEnsemble.Trees));
            }
        );

    public static ITreeModel FastTree(TrainingRows data, MlNetFastTree from, TrainingContext context) =>
        OneAgainstAll(
            data,
            context,
            (ml, seed, rows) =>
            {
                var options = Set(new FastTreeBinaryTrainer.Options(), from, seed);
                options.LearningRate = from.LearningRate;
                var scorer = ml.BinaryClassification.Trainers.FastTree(options).Fit(rows);
                return new(scorer, scorer.Model.Calibrator, Values(scorer.Model.SubModel.TrainedTreeEnsemble.Trees));
            }
        );

    /// <summary>One booster for all classes: its data are converted once, not once per class.</summary>
    public static ITreeModel LightGbm(TrainingRows data, MlNetLightGbm from, TrainingContext context)
    {
        var scorer = new MLContext(context.Seed)
            .MulticlassClassification.Trainers.LightGbm(
                new LightGbmMulticlassTrainer.Options
                {
                    UseSoftmax = true,
                    NumberOfIterations = from.NumberOfIterations,
                    NumberOfLeaves = from.NumberOfLeaves,
                    MinimumExampleCountPerLeaf = from.MinimumExampleCountPerLeaf,
                    LearningRate = from.LearningRate,
                    MaximumBinCountPerFeature = from.MaximumBinCountPerFeature,
                    Booster = new GradientBooster.Options { FeatureFraction = from.FeatureFraction },

                    // Its OpenMP threads wait busily for each other, thousands of times: beside other work two take ten times the processor
                    // time of one.
                    NumberOfThreads = 1,
                    // Otherwise LightGBM measures whether rows or columns are faster, which may differ between runs.
                    Deterministic = true,
                    ForceColumnWise = true,
                    Seed = context.Seed & int.MaxValue,
                }
            )
            .Fit(RowView.Classes(data, FeatureScaling.None, context.Cancellation));
        return new SoftmaxTrees(
            scorer,
            data.ClassCount,
            SubModels(scorer.Model)
                .Sum(model =>
                    Values(
                        ((CalibratedModelParametersBase<LightGbmBinaryModelParameters, PlattCalibrator>)model)
                            .SubModel
                            .TrainedTreeEnsemble
                            .Trees
                    )
                )
        );
    }

    /// <summary>The trees of each class, which ML.NET does not make public.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_SubModelParameters")]
    private static extern ImmutableArray<object> SubModels(OneVersusAllModelParameters model);

    private static OneAgainstAllTrees OneAgainstAll(
        TrainingRows data,
        TrainingContext context,
        Func<MLContext, int, IDataView, CalibratedTrees> fit
    )
    {
        var classes = new CalibratedTrees[data.ClassCount];
        Blocks.For(
            data.ClassCount,
            1,
            context.Threads,
            (k, _, _) =>
            {
                var seed = LinearTrainers.ClassSeed(context.Seed, k);
                classes[k] = fit(
                    new MLContext(seed),
                    seed & int.MaxValue,
                    RowView.OneAgainstAll(data, k, FeatureScaling.None, context.Cancellation)
                );
            },
            context.Cancellation
        );
        return new(classes);
    }

    private static TOptions Set<TOptions>(TOptions options, MlNetTrees from, int seed)
        where TOptions : TreeOptions
    {
        options.NumberOfTrees = from.NumberOfTrees;
        options.NumberOfLeaves = from.NumberOfLeaves;
        options.MinimumExampleCountPerLeaf = from.MinimumExampleCountPerLeaf;
        options.FeatureFraction = from.FeatureFraction;
        options.MaximumBinCountPerFeature = from.MaximumBinCountPerFeature;

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
