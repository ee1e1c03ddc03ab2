using System.Diagnostics;
using System.Globalization;
using TransferPipeline.Features;
using TransferPipeline.Pipelines;

namespace TransferPipeline.Cli.Output;

/// <summary>Extraction's progress on stderr: one line that redraws itself on a terminal, a plain line every few seconds elsewhere.</summary>
internal sealed class ExtractionProgressView : IProgress<ExtractionProgress>
{
    private const int BarWidth = 24;
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RedrawInterval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly bool _terminal = !Console.IsErrorRedirected;
    private readonly string _title;
    private long _last = Stopwatch.GetTimestamp();
    private bool _drawn;

    private ExtractionProgressView(string title) => _title = title;

    public static ExtractionDisplay Start(string title)
    {
        var view = new ExtractionProgressView(title);
        return new(view, view.End);
    }

    public void Report(ExtractionProgress value)
    {
        lock (_lock)
        {
            var done = value.Done >= value.Total;
            if (!done && Stopwatch.GetElapsedTime(_last) < (_terminal ? RedrawInterval : PlainInterval))
                return;
            _last = Stopwatch.GetTimestamp();
            if (_terminal)
                Console.Error.Write($"\r{Line(value)}\u001b[K");
            else
                Console.Error.WriteLine(Line(value));
            _drawn = true;
        }
    }

    private void End()
    {
        lock (_lock)
        {
            if (_terminal && _drawn)
                Console.Error.WriteLine();
        }
    }

    private string Line(ExtractionProgress p)
    {
        var share = p.Total == 0 ? 1 : (double)p.Done / p.Total;
        var bar = _terminal ? $"[{new string('#', (int)(share * BarWidth)).PadRight(BarWidth, '.')}] " : "";
        var times = string.Create(CultureInfo.InvariantCulture, $"read {p.Shares.Read:P0} decode {p.Shares.Decode:P0} resize {p.Shares.Preprocess:P0} infer {p.Shares.Infer:P0} write {p.Shares.Write:P0}");
        return string.Create(CultureInfo.InvariantCulture, $"{_title} {bar}{p.Done}/{p.Total}  {p.PerSecond:0} a second  {p.Left:h\\:mm\\:ss} left  {times}");
    }
}
