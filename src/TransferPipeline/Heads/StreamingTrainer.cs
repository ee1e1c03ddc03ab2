using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>Trains softmax, logistic, linear-svm and ridge from row blocks with bounded memory, to the same optimum as in memory.</summary>
public static class StreamingTrainer
{
    private const long SampleBytes = 96L << 20;

    /// <summary>Names of the heads that can be streamed.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. HeadCatalog.Trainers.Where(t => t is IterativeTrainer or RidgeTrainer).Select(t => t.Name)];

    /// <summary>Whether a fit makes a single pass over the rows.</summary>
    internal static bool ReadsOnce(IHeadTrainer trainer, HeadSettings settings) => trainer is RidgeTrainer && RidgeTrainer.StreamsOnce(settings);

    /// <summary>Trains one head. Vectors of at most about 100 MB are held at a time, whatever the number of rows.</summary>
    /// <exception cref="UsageException">The head cannot be streamed.</exception>
    /// <exception cref="BadInputException">The vectors cannot be trained on: one class only, NaN or infinity (row named).</exception>
    public static IHead Train(IHeadTrainer trainer, IRowStream stream, int classCount, HeadSettings settings, TrainingContext context) =>
        Train(trainer, stream, classCount, settings, context, (int)Math.Clamp(SampleBytes / (4L * stream.Columns), 1000, int.MaxValue));

    /// <param name="sampleRows">The most rows of the sample that the iterative heads start from.</param>
    internal static IHead Train(
        IHeadTrainer trainer, IRowStream stream, int classCount, HeadSettings settings, TrainingContext context, int sampleRows) => trainer switch
        {
            IterativeTrainer iterative => iterative.TrainStream(stream, classCount, settings, context, sampleRows),
            RidgeTrainer ridge => ridge.TrainStream(stream, classCount, settings, context),
            _ => throw new UsageException($"{trainer.Name} cannot be trained from a stream; these can: {string.Join(", ", Names)}"),
        };
}
