using System.Globalization;
using TransferPipeline.Extraction;
using TransferPipeline.Pipelines;

namespace TransferPipeline.Cli.Output;

/// <summary>Extraction's progress: photos, photos per second, time left, and where the time goes.</summary>
internal sealed class ExtractionProgressView(string title) : IProgress<ExtractionProgress>
{
    private const int BarWidth = 12;

    private readonly StatusLine _line = new();

    public static ExtractionDisplay Start(string title)
    {
        var view = new ExtractionProgressView(title);
        return new(view, view._line.End);
    }

    public void Report(ExtractionProgress value) =>
        _line.Report(value.Done >= value.Total, () => Parts(title, value, StatusLine.OnTerminal));

    public static IReadOnlyList<string> Parts(string title, ExtractionProgress p, bool bar)
    {
        var share = p.Total == 0 ? 1 : (double)p.Done / p.Total;
        var drawn = bar ? $" [{new string('#', (int)(share * BarWidth)).PadRight(BarWidth, '.')}]" : "";
        return
        [
            string.Create(CultureInfo.InvariantCulture, $"{title}{drawn} {p.Done}/{p.Total}"),
            string.Create(CultureInfo.InvariantCulture, $"{p.PerSecond:0} per second"),
            $"{(p.PerSecond > 0 ? StatusLine.Time(p.Left) : "?")} left",
            string.Create(
                CultureInfo.InvariantCulture,
                $"read {p.Shares.Read:P0} decode {p.Shares.Decode:P0} resize {p.Shares.Preprocess:P0} infer {p.Shares.Infer:P0} write "
                    + $"{p.Shares.Write:P0}"
            ),
        ];
    }
}
