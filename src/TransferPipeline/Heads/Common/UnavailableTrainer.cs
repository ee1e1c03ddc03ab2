namespace TransferPipeline.Heads.Common;

/// <summary>A head whose package is not in this build: listed with the reason, refused before any work.</summary>
/// <param name="unavailable">The reason and the cure, one line.</param>
internal sealed class UnavailableTrainer(string name, string summary, string unavailable) : IHeadTrainer
{
    public string Name => name;

    public string Summary => summary;

    public string Unavailable => unavailable;

    // The record with the options is in the adapter that this build lacks.
    public HeadOptions Defaults => new None(this);

    public IHead Train(TrainingRows data, HeadOptions options, TrainingContext context) =>
        throw new UsageException($"head '{name}' is not available: {unavailable}");

    private sealed record None(UnavailableTrainer Owner) : HeadOptions
    {
        public override IHeadTrainer Trainer => Owner;
    }
}
