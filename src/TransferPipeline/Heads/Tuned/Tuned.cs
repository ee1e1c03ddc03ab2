using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Heads;

/// <summary>A linear head that was trained with its backbone: it is taken from a classifier file as it is.</summary>
internal sealed record Tuned : HeadOptions
{
    /// <summary>Name in comparisons.</summary>
    public const string HeadName = "tuned";

    /// <summary>The classifier.</summary>
    [Option("file", "the classifier file that holds it")]
    public string File { get; init; } = "";

    /// <inheritdoc/>
    // Options name a head and hold none. TunedHeads makes the trainer that does.
    public override IHeadTrainer Trainer => new TunedTrainer(null, 0);

    /// <summary>The head from its weights (C x D) and biases.</summary>
    public static LinearHead Head(float[] weights, float[] bias, string file, FitReport? fit = null) =>
        LinearHead.Create(
            HeadName,
            Array.ConvertAll(weights, w => (double)w),
            Array.ConvertAll(bias, b => (double)b),
            FeatureScaling.None,
            LinearLink.Softmax,
            new Tuned { File = file },
            fit ?? new()
        );
}

/// <summary>Returns a head that is there already; for comparisons, on the photos that it was trained on and no part of them.</summary>
/// <param name="trainRows">Photos that the head was trained on.</param>
internal sealed class TunedTrainer(LinearHead? head, int trainRows) : HeadTrainer<Tuned>(head?.Options as Tuned ?? new())
{
    public override string Name => Tuned.HeadName;

    public override string Summary => "the linear head that was trained together with its backbone, from a classifier file";

    protected override IHead Fit(TrainingRows data, Tuned options, TrainingContext context)
    {
        if (head is null)
            throw new UsageException($"{Name}: the head is trained by 'transfer finetune', together with its backbone");
        if (data.X.Columns != head.Dimension || data.ClassCount != head.ClassCount)
            throw new UsageException(
                $"{Name}: takes vectors of {head.Dimension} values and {head.ClassCount} classes; these have {data.X.Columns} and "
                    + $"{data.ClassCount}"
            );
        // Fewer rows are a part or a fold, and the head has seen the photos that would evaluate it (docs/decisions.md).
        return data.Rows.Length == trainRows
            ? head
            : throw new UsageException(
                $"{Name}: was trained with its backbone on {trainRows} photos and is no head of {data.Rows.Length} others"
            );
    }
}
