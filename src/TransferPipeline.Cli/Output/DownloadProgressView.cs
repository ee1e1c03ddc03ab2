using System.Diagnostics;
using System.Globalization;
using TransferPipeline.Backbones.Store;

namespace TransferPipeline.Cli.Output;

/// <summary>A download's progress on stderr: one line that redraws itself on a terminal, a plain line every few seconds elsewhere.</summary>
internal sealed class DownloadProgressView(string model) : IProgress<PullProgress>
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RedrawInterval = TimeSpan.FromMilliseconds(100);

    private readonly bool _terminal = !Console.IsErrorRedirected;
    private long _last = Stopwatch.GetTimestamp();
    private bool _drawn;

    public void Report(PullProgress value)
    {
        if (value.Done < value.Total && Stopwatch.GetElapsedTime(_last) < (_terminal ? RedrawInterval : PlainInterval))
            return;
        _last = Stopwatch.GetTimestamp();
        _drawn = true;
        var line = string.Create(CultureInfo.InvariantCulture, $"{model} {value.Done / 1e6:0.0} of {value.Total / 1e6:0.0} MB from {value.Host}");
        if (_terminal)
            Console.Error.Write($"\r{line}\u001b[K");
        else
            Console.Error.WriteLine(line);
    }

    public void End()
    {
        if (_terminal && _drawn)
            Console.Error.WriteLine();
    }
}
