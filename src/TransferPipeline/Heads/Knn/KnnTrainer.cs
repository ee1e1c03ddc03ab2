using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>Votes of the nearest training photos: scikit-learn's KNeighborsClassifier by brute force.</summary>
internal sealed class KnnTrainer() : HeadPathTrainer<Knn>(new Knn())
{
    public override string Name => "knn";

    public override string Summary => "k nearest neighbours by cosine or Euclidean distance (KNeighborsClassifier)";

    public override string PathOption => "n_neighbors";

    protected override IReadOnlyList<IHead> FitPath(TrainingRows data, IReadOnlyList<Knn> path, TrainingContext context)
    {
        TrainingCheck.Counts(data, context);
        var options = path[0];
        var scaling = FeatureScaling.Fit(options.Scaling, data.X, data.Rows, context.Threads);
        var labels = Array.ConvertAll(data.Rows, row => data.Y[row]);
        // One index for the path: the heads differ only in how many of the neighbors vote.
        var index = new NeighbourIndex(
            scaling.Apply(data.X, data.Rows, context.Threads),
            labels,
            options.Metric,
            scaling,
            path.Max(p => p.K),
            isShared: path.Count > 1,
            context.Threads
        );
        return [.. path.Select(p => new KnnHead(index, data.ClassCount, p))];
    }
}
