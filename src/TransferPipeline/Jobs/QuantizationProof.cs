using TransferPipeline.Evaluation;

namespace TransferPipeline.Jobs;

/// <summary>What quantization did to vectors, classifiers and speed.</summary>
/// <param name="HeldOut">Photos that the figures are of; none was calibrated on.</param>
/// <param name="CosineMean">Of the held-out photos' vectors, float against int8.</param>
/// <param name="Neighbours">Share of held-out photos whose nearest neighbour is the same.</param>
/// <param name="Heads">Each head trained on float vectors and on int8 vectors.</param>
/// <param name="FloatRate">Photos per second of the network alone, on all threads.</param>
/// <param name="MaxLoss">Largest fall of an accuracy that is accepted.</param>
internal sealed record QuantizationProof(
    int TrainedOn,
    int HeldOut,
    double CosineMin,
    double CosineMean,
    double Neighbours,
    IReadOnlyList<HeadLoss> Heads,
    double FloatRate,
    double Int8Rate,
    double MaxLoss
)
{
    public double Speedup => Int8Rate / FloatRate;

    /// <summary>The head that lost the most.</summary>
    public HeadLoss Worst => Heads.MaxBy(h => h.Loss.Value)!;

    /// <summary>An accuracy fell by more than the limit. Rounding of shares is no fall.</summary>
    public bool IsRefused => Worst.Loss.Value > MaxLoss + 1e-9;
}

/// <summary>One head on the vectors of both networks, evaluated on the same photos.</summary>
/// <param name="Loss">Accuracy on float vectors minus accuracy on int8 vectors, with its 95 % interval.</param>
/// <param name="OnlyFloat">Photos that are right with float vectors alone.</param>
/// <param name="OnlyInt8">Photos that are right with int8 vectors alone.</param>
/// <param name="PValue">McNemar's exact test.</param>
internal sealed record HeadLoss(
    string Head,
    ConfidenceInterval Float,
    ConfidenceInterval Int8,
    ConfidenceInterval Loss,
    int OnlyFloat,
    int OnlyInt8,
    double PValue
);
