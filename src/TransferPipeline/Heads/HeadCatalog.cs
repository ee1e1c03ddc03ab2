using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>The trainers of this library, by name; adapters of outside packages add theirs beside it.</summary>
internal static class HeadCatalog
{
    public static IReadOnlyList<IHeadTrainer> Trainers { get; } =
    [
        new SoftmaxTrainer(),
        new LogisticTrainer(),
        new LinearSvmTrainer(),
        new RidgeTrainer(),
        new LdaTrainer(),
        new NearestMeanTrainer(),
        new KnnTrainer(),
        new ForestTrainer(),
        new MlpTrainer(),
        new LinearSgdTrainer(),
        new SvmRbfTrainer(),
    ];

    /// <summary>What scikit-learn and common speech call the heads, without hyphens and in lower case.</summary>
    private static readonly Dictionary<string, string> OtherNames = new()
    {
        ["logisticregression"] = "softmax",
        ["multinomial"] = "softmax",
        ["svm"] = "linear-svm",
        ["linearsvc"] = "linear-svm",
        ["svc"] = "svm-rbf",
        ["rbf"] = "svm-rbf",
        ["ridgeclassifier"] = "ridge",
        ["lineardiscriminantanalysis"] = "lda",
        ["nearestcentroid"] = "nearest-mean",
        ["centroid"] = "nearest-mean",
        ["kneighborsclassifier"] = "knn",
        ["kneighbors"] = "knn",
        ["randomforest"] = "forest",
        ["randomforestclassifier"] = "forest",
        // scikit-learn's extra trees are a setting of forest, so the hint gives the head with its options.
        ["extratreesclassifier"] = "forest:splitter=random,bootstrap=false",
        ["extratrees"] = "forest:splitter=random,bootstrap=false",
        ["mlpclassifier"] = "mlp",
        ["sgdclassifier"] = "linear-sgd",
        ["sgd"] = "linear-sgd",
        ["linear"] = "linear-sgd",
    };

    /// <summary>The trainer of that name among the given ones, or the library's.</summary>
    /// <exception cref="UsageException">There is none; the nearest name is suggested.</exception>
    public static IHeadTrainer Find(string name, IReadOnlyList<IHeadTrainer>? among = null)
    {
        among ??= Trainers;
        return among.FirstOrDefault(t => t.Name == name)
            ?? throw new UsageException(
                $"there is no head '{name}'{Hint(name, among)} (heads: {string.Join(", ", among.Select(t => t.Name))})"
            );
    }

    // The given list may lack the head that a name stands for, since a caller chooses it; then
    // the nearest name must do.
    private static string Hint(string name, IReadOnlyList<IHeadTrainer> among) =>
        OtherNames.TryGetValue(
            name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).ToLowerInvariant(),
            out var here
        ) && among.Any(t => t.Name == here.Split(':')[0])
            ? $"; here it is '{here}'"
            : NearestName.Hint(name, among.Select(t => t.Name));
}
