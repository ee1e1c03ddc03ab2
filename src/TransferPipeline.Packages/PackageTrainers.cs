using TransferPipeline.Heads;

namespace TransferPipeline.Packages;

/// <summary>The heads that outside packages bring; a build without those packages lists them as unavailable.</summary>
internal static class PackageTrainers
{
    /// <summary>A set is taken as a whole, so one missing package is enough to lose these heads; make names it.</summary>
    private const string Cure = "'make TRANSFER_PACKAGES=card' brings it, or names the packages that the package source lacks (docs/packages.md)";

    public static IReadOnlyList<IHeadTrainer> Unavailable { get; } =
    [
        .. MicrosoftML.Select(h => new UnavailableTrainer(h.Name, h.Summary, $"this build has the npm package set, without Microsoft.ML; {Cure}")),
        .. Torch.Select(h => new UnavailableTrainer(h.Name, h.Summary, $"this build has the npm package set, without TorchSharp; {Cure}")),
    ];

    private static IEnumerable<(string Name, string Summary)> MicrosoftML =>
    [
        ("mlnet-sdca-maximum-entropy", "ML.NET SdcaMaximumEntropy"),
        ("mlnet-lbfgs-maximum-entropy", "ML.NET LbfgsMaximumEntropy"),
        ("mlnet-linear-svm", "ML.NET OneVersusAll over LinearSvm"),
        ("mlnet-averaged-perceptron", "ML.NET OneVersusAll over AveragedPerceptron"),
        ("mlnet-sdca-logistic-regression", "ML.NET OneVersusAll over SdcaLogisticRegression"),
        ("mlnet-fast-forest", "ML.NET OneVersusAll over FastForest"),
        ("mlnet-fast-tree", "ML.NET OneVersusAll over FastTree"),
        ("mlnet-light-gbm", "ML.NET LightGbm"),
    ];

    private static IEnumerable<(string Name, string Summary)> Torch =>
    [
        ("torch-linear", "TorchSharp: one linear layer, cross-entropy; Adam, SGD with momentum and StepLR, or L-BFGS"),
        ("torch-mlp", "TorchSharp: multilayer perceptron with ReLU and dropout"),
    ];
}
