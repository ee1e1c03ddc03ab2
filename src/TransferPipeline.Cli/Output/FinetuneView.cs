using System.Globalization;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Output;

/// <summary>A fine-tuning's epochs as a table, and what came out in a few lines.</summary>
internal static class FinetuneView
{
    public static void Write(FinetuneResult result)
    {
        Tables.Write(
            [">epoch", ">rate", ">train loss", ">train accuracy", ">validation loss", ">validation accuracy", ">seconds"],
            result.History.Select(e =>
                new[]
                {
                    e.Epoch.ToString(CultureInfo.InvariantCulture),
                    e.Rate.ToString("0.0e+0", CultureInfo.InvariantCulture),
                    Number(e.TrainLoss),
                    Number(e.TrainAccuracy),
                    Number(e.ValidationLoss),
                    Number(e.ValidationAccuracy),
                    e.Seconds.ToString("0.0", CultureInfo.InvariantCulture),
                }
            )
        );
        if (result.Frozen is { } frozen)
            Console.WriteLine(Score(frozen));
        Console.WriteLine(
            Score(result.Tuned) + (result.PValue is { } p ? $", McNemar's p = {p.ToString("0.000", CultureInfo.InvariantCulture)}" : "")
        );
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{result.File}: {result.Model} trained above '{result.Cut}' ({result.TrainedParameters:N0} weights, "
                    + $"{result.TrainPhotos} photos, "
                    + $"{result.Kept}) in {result.Seconds:0.0} s; its scores in ONNX Runtime differ by "
                    + $"{result.WriteBackDifference:0.0e+0} at most"
            )
        );
        if (result.Classifier is not null)
            Console.WriteLine($"{result.Classifier}: the tuned backbone with its head");
    }

    private static string Score(FinetunedScore score) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{score.Title}: accuracy {score.Accuracy:0.0000} ({score.Low:0.0000} to {score.High:0.0000}) on {score.Photos} "
                + $"photos of validation"
        );

    private static string Number(double? value) => value?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "";
}
