using Microsoft.ML.Trainers.LightGbm;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.MicrosoftML;

/// <summary>The heads that Microsoft.ML brings: linear ones, which export, and trees, which do not.</summary>
public static class MicrosoftMLHeads
{
    public static IReadOnlyList<IHeadTrainer> Trainers { get; } =
    [
        new MaximumEntropyTrainer(
            "mlnet-sdca-maximum-entropy", "ML.NET SdcaMaximumEntropy: multinomial logistic regression by dual coordinate ascent",
            LinearTrainers.SdcaOptions("0.0003"), LinearTrainers.SdcaMaximumEntropy),
        new MaximumEntropyTrainer(
            "mlnet-lbfgs-maximum-entropy", "ML.NET LbfgsMaximumEntropy: multinomial logistic regression by L-BFGS",
            LinearTrainers.LbfgsOptions, LinearTrainers.LbfgsMaximumEntropy),
        new LinearOneAgainstAllTrainer(
            "mlnet-linear-svm", "ML.NET LinearSvm, one class against all, Platt-calibrated: hinge loss by Pegasos",
            LinearTrainers.SvmOptions, LinearTrainers.LinearSvm),
        new LinearOneAgainstAllTrainer(
            "mlnet-averaged-perceptron", "ML.NET AveragedPerceptron, one class against all, Platt-calibrated",
            LinearTrainers.PerceptronOptions, LinearTrainers.AveragedPerceptron),
        new LinearOneAgainstAllTrainer(
            "mlnet-sdca-logistic-regression", "ML.NET SdcaLogisticRegression, one class against all",
            LinearTrainers.SdcaOptions("0.0003"), LinearTrainers.SdcaLogisticRegression),
        new TreeTrainer("mlnet-fast-forest", "ML.NET FastForest, one class against all, Platt-calibrated: randomized trees", TreeTrainers.ForestOptions, TreeTrainers.FastForest),
        new TreeTrainer("mlnet-fast-tree", "ML.NET FastTree, one class against all: gradient-boosted trees", TreeTrainers.BoostedOptions, TreeTrainers.FastTree),
        new TreeTrainer("mlnet-light-gbm", "ML.NET LightGbm, one class against all: gradient-boosted trees", TreeTrainers.LightGbmOptions, TreeTrainers.LightGbm)
        {
            Missing = new(LightGbmIsMissing),
        },
    ];

    private static string? LightGbmIsMissing() =>
        NativeLibraries.Problem("lib_lightgbm", typeof(LightGbmBinaryTrainer).Assembly) is { } problem
            ? $"LightGBM's native library does not load on this machine ({problem}); it needs libgomp1 and a 64-bit x86 processor"
            : null;
}
