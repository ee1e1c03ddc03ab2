using System.Globalization;
using TransferPipeline.Pipelines;
using TransferPipeline.Tuning;

namespace TransferPipeline.Cli.Output;

/// <summary>A fine-tuning's progress: epoch, photos per second, loss, time left.</summary>
internal sealed class TuningProgressView(string title) : IDisposable
{
    private readonly StatusLine _line = new();

    public static TuningDisplay Start(string title)
    {
        var view = new TuningProgressView(title);
        return new(view.Report, view.Dispose);
    }

    public void Report(TuningProgress value) => _line.Report(value.Done >= value.Total, () => Parts(title, value));

    public void Dispose() => _line.End();

    public static IReadOnlyList<string> Parts(string title, TuningProgress p) =>
        [
            string.Create(CultureInfo.InvariantCulture, $"{title} epoch {p.Epoch}/{p.Epochs} {100.0 * p.Done / Math.Max(1, p.Total):0} %"),
            string.Create(CultureInfo.InvariantCulture, $"{p.PerSecond:0} photos per second"),
            $"{(p.PerSecond > 0 ? StatusLine.Time(p.Left) : "?")} left",
            string.Create(CultureInfo.InvariantCulture, $"loss {p.Loss:0.000}"),
        ];
}
