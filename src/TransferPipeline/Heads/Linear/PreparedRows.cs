using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Linear;

/// <summary>
/// Training rows after scaling: the caller's own where nothing is scaled, otherwise a copy that heads and sweeps on the same rows share.
/// </summary>
internal sealed class PreparedRows : IDisposable
{
    /// <summary>Scaled copies up to this size are kept.</summary>
    private const long MostSharedBytes = 512L << 20;

    private PreparedRows(FeatureScaling scaling, RowSet rows) => (Scaling, Rows) = (scaling, rows);

    public FeatureScaling Scaling { get; }

    public RowSet Rows { get; }

    public static PreparedRows Of(TrainingRows data, ScalingKind kind, TrainingContext context)
    {
        if (kind == ScalingKind.None)
            return new(FeatureScaling.None, RowSet.View(data.X, data.Rows, data.Y));
        var cache = context.Scope.Cache<Cached>();
        var key = new RowsKey(data.X, data.Rows, kind);
        var scaling = cache.Scalings.Get(key, () => FeatureScaling.Fit(kind, data.X, data.Rows, context.Threads));
        // Larger copies are made by each head and freed after it: one per scaling would stay until the comparison ends.
        RowSet Copy() => RowSet.Copy(data.X, data.Rows, data.Y, scaling, context.Threads);
        return new(scaling, 4L * data.Rows.Length * data.X.Columns > MostSharedBytes ? Copy() : cache.Copies.Get(key, Copy));
    }

    /// <inheritdoc cref="RowSet.Dispose"/>
    public void Dispose() => Rows.Dispose();

    /// <summary>Scalings and scaled copies by rows.</summary>
    private sealed class Cached
    {
        public OnceCache<RowsKey, FeatureScaling> Scalings { get; } = new();

        public OnceCache<RowsKey, RowSet> Copies { get; } = new();
    }
}
