using System.Diagnostics;
using System.Globalization;

namespace TransferPipeline.Cli.Output;

/// <summary>
/// A line on stderr with the progress of a job: on a terminal it redraws itself and never wraps, elsewhere it is written anew every few
/// seconds.
/// </summary>
internal sealed class StatusLine
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RedrawInterval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private long _last = Stopwatch.GetTimestamp();
    private bool _drawn,
        _ended;

    /// <summary>Whether stderr is a terminal that can erase; an editor's shell (TERM=dumb) would show the sequence as text.</summary>
    public static bool OnTerminal { get; } = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <param name="isLast">The job is done: the line is written at once, elsewhere than on a terminal only once.</param>
    /// <param name="parts">The line in pieces, the most important first; made only when it is time to write.</param>
    public void Report(bool isLast, Func<IReadOnlyList<string>> parts)
    {
        // Several threads report.
        lock (_lock)
        {
            // The first line waits for an interval too: a short job writes its last line alone.
            if ((_ended && !OnTerminal) || (!isLast && Stopwatch.GetElapsedTime(_last) < (OnTerminal ? RedrawInterval : PlainInterval)))
                return;
            _last = Stopwatch.GetTimestamp();
            (_drawn, _ended) = (true, isLast);
            if (OnTerminal)
                // The escape sequence erases what is left of a longer line.
                Console.Error.Write($"\r{Fit(parts(), Console.WindowWidth)}\u001b[K");
            else
                Console.Error.WriteLine(string.Join("  ", parts()));
        }
    }

    /// <summary>Leaves the line and goes to the next.</summary>
    public void End()
    {
        lock (_lock)
        {
            if (OnTerminal && _drawn)
                Console.Error.WriteLine();
        }
    }

    /// <summary>
    /// As many of the first parts as fit before the last column of a terminal; a terminal of unknown width gets 80.
    /// </summary>
    public static string Fit(IReadOnlyList<string> parts, int width)
    {
        var room = (width > 0 ? width : 80) - 1;
        var line = parts[0];
        for (var i = 1; i < parts.Count && line.Length + 2 + parts[i].Length <= room; i++)
            line += "  " + parts[i];
        return line.Length <= room ? line : line[..room];
    }

    /// <summary>Hours, minutes and seconds; hours beyond a day are counted on.</summary>
    public static string Time(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}");
}
