using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Linear;

/// <summary>Training rows after scaling: the caller's own where nothing is scaled, otherwise a copy that heads and sweeps on the same rows share.</summary>
internal static class PreparedRows
{
    /// <summary>Scaled copies up to this size are kept.</summary>
    private const long MostSharedBytes = 512L << 20;

    public static (FeatureScaling Scaling, RowSet Rows) Of(TrainingRows data, ScalingKind kind, TrainingContext context)
    {
        if (kind == ScalingKind.None)
            return (FeatureScaling.None, RowSet.View(data.X, data.Rows, data.Y));
        var scaling = context.Shared.Get(new RowsKey("scaling " + kind, data.X, data.Rows), () => FeatureScaling.Fit(kind, data.X, data.Rows, context.Threads));
        RowSet Copy() => RowSet.Copy(data.X, data.Rows, data.Y, scaling, context.Threads);
        return (scaling, 4L * data.Rows.Length * data.X.Columns > MostSharedBytes ? Copy() : context.Shared.Get(new RowsKey("scaled " + kind, data.X, data.Rows), Copy));
    }
}
