using System.Text.Json.Serialization;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tuning;

/// <summary>One epoch of a fine-tuning.</summary>
/// <param name="Epoch">From 1.</param>
/// <param name="Rate">Learning rate of its last step.</param>
/// <param name="TrainLoss">Mean over the epoch's photos, each before the step that it is part of.</param>
/// <param name="ValidationLoss">Of split validation after the epoch; null without such photos.</param>
/// <param name="HeldOutAccuracy">Of the photos on which the best epoch is chosen; null where there are none.</param>
/// <param name="Seconds">Wall time, evaluation included.</param>
internal sealed record TuningEpoch(
    int Epoch,
    double Rate,
    double TrainLoss,
    double TrainAccuracy,
    double? ValidationLoss,
    double? ValidationAccuracy,
    double? HeldOutAccuracy,
    double Seconds
)
{
    /// <summary>As of a head that learns in epochs.</summary>
    public EpochRecord ToRecord() => new(Epoch, TrainLoss, TrainAccuracy, ValidationLoss ?? double.NaN, ValidationAccuracy ?? double.NaN);
}

/// <summary>Where a fine-tuning is.</summary>
/// <param name="Epoch">That is under way, from 1.</param>
/// <param name="Done">Photos trained on in all epochs.</param>
/// <param name="Total">Photos of all epochs.</param>
/// <param name="Loss">Mean of the epoch so far.</param>
/// <param name="Left">Estimated time left, evaluation included.</param>
internal sealed record TuningProgress(int Epoch, int Epochs, long Done, long Total, double PerSecond, double Loss, TimeSpan Left);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(List<TuningEpoch>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
internal sealed partial class TuningJson : JsonSerializerContext;
