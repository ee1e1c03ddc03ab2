using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>Trains heads from row blocks with bounded memory, to the same optimum as in memory.</summary>
internal static class StreamingTrainer
{
    /// <summary>Names of the library's heads that can be streamed.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. HeadCatalog.Trainers.OfType<IStreamingTrainer>().Select(t => t.Name)];

    /// <summary>The trainer as one that streams.</summary>
    /// <exception cref="UsageException">The head cannot be streamed.</exception>
    public static IStreamingTrainer Require(IHeadTrainer trainer) =>
        trainer as IStreamingTrainer
        ?? throw new UsageException($"{trainer.Name} cannot be trained from a stream; these can: {string.Join(", ", Names)}");
}
