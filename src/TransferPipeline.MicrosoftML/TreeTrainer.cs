using Microsoft.ML;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.MicrosoftML;

/// <summary>One tree ensemble of ML.NET a class, with probabilities normalized as ML.NET's OneVersusAll does.</summary>
/// <param name="fit">Trains on columns Features and Label with the given seed.</param>
internal sealed class TreeTrainer<TOptions>(string name, string summary, TOptions defaults, Func<MLContext, TOptions, int, IDataView, CalibratedTrees> fit)
    : HeadTrainer<TOptions>(defaults)
    where TOptions : HeadOptions
{
    public override string Name => name;

    public override string Summary => summary;

    public override string? Unavailable => Missing?.Value;

    /// <summary>Looks for a native library when somebody asks, since loading it takes time; its value is the reason and the cure, or null.</summary>
    public Lazy<string?>? Missing { get; init; }

    protected override IHead Fit(TrainingRows data, TOptions options, TrainingContext context)
    {
        TrainingCheck.Counts(data, context);
        var classes = new CalibratedTrees[data.ClassCount];
        Blocks.For(data.ClassCount, 1, context.Threads, (k, _, _) =>
        {
            var seed = LinearTrainers.ClassSeed(context.Seed, k);
            classes[k] = fit(new MLContext(seed), options, seed & int.MaxValue, RowView.OneAgainstAll(data, k, FeatureScaling.None, context.Cancellation));
        }, context.Cancellation);
        return new TreeHead(Name, data.X.Columns, classes, options);
    }
}
