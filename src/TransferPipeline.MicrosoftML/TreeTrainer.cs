using TransferPipeline.Heads.Common;

namespace TransferPipeline.MicrosoftML;

/// <summary>Trees of ML.NET.</summary>
internal sealed class TreeTrainer<TOptions>(
    string name,
    string summary,
    TOptions defaults,
    Func<TrainingRows, TOptions, TrainingContext, ITreeModel> fit
) : HeadTrainer<TOptions>(defaults)
    where TOptions : HeadOptions
{
    public override string Name => name;

    public override string Summary => summary;

    public override string? Unavailable => NativeProblem?.Value;

    public override string NotExportable =>
        $"{name} keeps its trees in ML.NET's own form, which classifier.onnx cannot hold; forest exports";

    /// <summary>
    /// Looks for a native library only when its value is read, since loading it takes time; its value is the reason and the cure, or null.
    /// </summary>
    public Lazy<string?>? NativeProblem { get; init; }

    protected override IHead Fit(TrainingRows data, TOptions options, TrainingContext context)
    {
        TrainingCheck.Counts(data, context);
        return new TreeHead(Name, data.X.Columns, fit(data, options, context), options, NotExportable);
    }
}
