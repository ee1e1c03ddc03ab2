using Microsoft.ML.Trainers.LightGbm;
using TransferPipeline.Heads.Common;
using TransferPipeline.Platform;

namespace TransferPipeline.MicrosoftML;

/// <summary>The heads that Microsoft.ML brings: linear ones, which export, and trees, which do not.</summary>
internal static class MicrosoftMLHeads
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IHeadTrainer> Trainers =>
        [SdcaMaximumEntropy, LbfgsMaximumEntropy, LinearSvm, AveragedPerceptron, SdcaLogisticRegression, FastForest, FastTree, LightGbm];

    internal static IHeadTrainer SdcaMaximumEntropy { get; } =
        new MaximumEntropyTrainer<MlNetSdcaMaximumEntropy>(
            "mlnet-sdca-maximum-entropy",
            "ML.NET SdcaMaximumEntropy: multinomial logistic regression by dual coordinate ascent",
            new(),
            LinearTrainers.SdcaMaximumEntropy
        );

    internal static IHeadTrainer LbfgsMaximumEntropy { get; } =
        new MaximumEntropyTrainer<MlNetLbfgsMaximumEntropy>(
            "mlnet-lbfgs-maximum-entropy",
            "ML.NET LbfgsMaximumEntropy: multinomial logistic regression by L-BFGS",
            new(),
            LinearTrainers.LbfgsMaximumEntropy
        );

    internal static IHeadTrainer LinearSvm { get; } =
        new LinearOneAgainstAllTrainer<MlNetLinearSvm>(
            "mlnet-linear-svm",
            "ML.NET LinearSvm, one class against all, Platt-calibrated: hinge loss by Pegasos",
            new(),
            LinearTrainers.LinearSvm
        );

    internal static IHeadTrainer AveragedPerceptron { get; } =
        new LinearOneAgainstAllTrainer<MlNetAveragedPerceptron>(
            "mlnet-averaged-perceptron",
            "ML.NET AveragedPerceptron, one class against all, Platt-calibrated",
            new(),
            LinearTrainers.AveragedPerceptron
        );

    internal static IHeadTrainer SdcaLogisticRegression { get; } =
        new LinearOneAgainstAllTrainer<MlNetSdcaLogisticRegression>(
            "mlnet-sdca-logistic-regression",
            "ML.NET SdcaLogisticRegression, one class against all",
            new(),
            LinearTrainers.SdcaLogisticRegression
        );

    internal static IHeadTrainer FastForest { get; } =
        new TreeTrainer<MlNetFastForest>(
            "mlnet-fast-forest",
            "ML.NET FastForest, one class against all, Platt-calibrated: randomized trees",
            new(),
            TreeTrainers.FastForest
        )
        {
            NativeProblem = new(FastTreeIsMissing),
        };

    internal static IHeadTrainer FastTree { get; } =
        new TreeTrainer<MlNetFastTree>(
            "mlnet-fast-tree",
            "ML.NET FastTree, one class against all: gradient-boosted trees",
            new(),
            TreeTrainers.FastTree
        )
        {
            NativeProblem = new(FastTreeIsMissing),
        };

    internal static IHeadTrainer LightGbm { get; } =
        new TreeTrainer<MlNetLightGbm>(
            "mlnet-light-gbm",
            "ML.NET LightGbm: gradient-boosted trees, one booster with softmax for all classes",
            new(),
            TreeTrainers.LightGbm
        )
        {
            NativeProblem = new(LightGbmIsMissing),
        };

    private static string? LightGbmIsMissing()
    {
        // Before the search, so that the library is found in NuGet's package folder too.
        var fetch = NativePackages.Register("LightGBM", NativePackages.VersionOf(typeof(MicrosoftMLHeads).Assembly, "LightGBM"));
        // The prefix belongs to its name on Windows too.
        if (NativeLibraries.Absent([OperatingSystem.IsWindows() ? "lib_lightgbm" : "_lightgbm"]) is { } file)
            return $"LightGBM's native library is not beside this program ({file} is missing on {NativePackages.Platform}): '{fetch}' "
                + "fetches it, for 64-bit x86 processors";
        // Only a library that is there is loaded: the loader's message then states why it does not load.
        return NativeLibraries.Problem("lib_lightgbm", typeof(LightGbmBinaryTrainer).Assembly) is { } problem
            ? $"LightGBM's native library does not load on this machine ({problem}); it needs libgomp1 and a 64-bit x86 processor"
            : null;
    }

    private static string? FastTreeIsMissing() =>
        NativeLibraries.Absent(["FastTreeNative"]) is { } file
            ? $"ML.NET has no FastTree for this platform ({file} is missing on {NativePackages.Platform}): take forest"
            : null;
}
