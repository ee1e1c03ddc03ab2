using Microsoft.ML;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.MicrosoftML;

/// <summary>One tree ensemble of ML.NET a class, with probabilities normalized as ML.NET's OneVersusAll does.</summary>
/// <param name="fit">Trains on columns Features and Label with the given seed.</param>
internal sealed class TreeTrainer(
    string name, string summary, IReadOnlyList<HeadOption> options, Func<MLContext, HeadSettings, int, IDataView, CalibratedTrees> fit) : IHeadTrainer
{
    public string Name => name;

    public string Summary => summary;

    public string? Unavailable => Missing?.Value;

    /// <summary>Looks for a native library when somebody asks, since loading it takes time; its value is the reason and the cure, or null.</summary>
    public Lazy<string?>? Missing { get; init; }

    public IReadOnlyList<HeadOption> Options => options;

    public IHead Train(TrainingRows data, HeadSettings settings, TrainingContext context)
    {
        if (Unavailable is not null)
            throw new UsageException($"head '{Name}' is not available: {Unavailable}");
        TrainingCheck.Counts(data, context);
        var classes = new CalibratedTrees[data.ClassCount];
        Blocks.For(data.ClassCount, 1, context.Threads, (k, _, _) =>
        {
            var seed = LinearOneAgainstAllTrainer.ClassSeed(context.Seed, k);
            classes[k] = fit(new MLContext(seed), settings, seed & int.MaxValue, RowView.OneAgainstAll(data, k, FeatureScaling.None, context.Cancellation));
        }, context.Cancellation);
        return new TreeHead(Name, data.X.Columns, classes, settings);
    }
}
