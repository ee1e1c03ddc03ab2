using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>Votes of the nearest training photos: scikit-learn's KNeighborsClassifier by brute force.</summary>
public sealed class KnnTrainer : IPathTrainer
{
    public string Name => "knn";

    public string Summary => "k nearest neighbours by cosine or Euclidean distance (KNeighborsClassifier)";

    public string? Unavailable => null;

    public string PathOption => "n_neighbors";

    public IReadOnlyList<HeadOption> Options { get; } =
    [
        new("n_neighbors", HeadOptionKind.Integer, "5", "training photos that vote") { Minimum = 1 },
        new("metric", HeadOptionKind.Choice, "cosine", "distance between vectors") { Choices = ["cosine", "euclidean"] },
        new("weights", HeadOptionKind.Choice, "uniform", "one vote each, or votes in inverse proportion to distance") { Choices = ["uniform", "distance"] },
        new("scaling", HeadOptionKind.Choice, "none", "what is done to vectors first") { Choices = ["none", "standard", "l2"] },
    ];

    public IHead Train(TrainingRows data, HeadSettings settings, TrainingContext context) =>
        TrainPath(data, settings, [settings.Integer("n_neighbors")], context)[0];

    public IReadOnlyList<IHead> TrainPath(TrainingRows data, HeadSettings settings, IReadOnlyList<double> values, TrainingContext context)
    {
        TrainingCheck.Counts(data, context);
        foreach (var k in values)
        {
            if (k < 1 || k != Math.Floor(k))
                Throw.Usage(FormattableString.Invariant($"knn: n_neighbors is {k}, expected a whole number of at least 1"));
            if (k > data.Rows.Length)
                Throw.Usage(FormattableString.Invariant($"knn: n_neighbors is {k}, but there are only {data.Rows.Length} training rows"));
        }

        var metric = settings.Text("metric") == "cosine" ? NeighbourMetric.Cosine : NeighbourMetric.Euclidean;
        var scaling = FeatureScaling.Fit(FeatureScaling.Parse(settings.Text("scaling")), data.X, data.Rows, context.Threads);
        var labels = Array.ConvertAll(data.Rows, row => data.Y[row]);
        var index = new NeighbourIndex(scaling.Apply(data.X, data.Rows, context.Threads), labels, metric, scaling, (int)values.Max(), context.Threads);
        return [.. values.Select(k => new KnnHead(index, data.ClassCount, settings.With("n_neighbors", k)))];
    }
}
