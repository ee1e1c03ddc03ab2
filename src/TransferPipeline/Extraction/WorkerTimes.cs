using System.Diagnostics;

namespace TransferPipeline.Extraction;

/// <summary>Where the workers' and the writer's time went, in <see cref="Stopwatch"/> ticks; added to by all threads.</summary>
internal sealed class WorkerTimes
{
    private long _read;
    private long _decode;
    private long _preprocess;
    private long _infer;
    private long _write;
    private long _done;

    /// <summary>Vectors done, failed ones included.</summary>
    public long Done => Volatile.Read(ref _done);

    public double DecodeSeconds => Seconds(_read) + Seconds(_decode);

    public double PreprocessSeconds => Seconds(_preprocess);

    public double InferSeconds => Seconds(_infer);

    /// <summary>Each adds the time since <paramref name="start"/> and returns now.</summary>
    public static long Add(ref long sum, long start)
    {
        var now = Stopwatch.GetTimestamp();
        Interlocked.Add(ref sum, now - start);
        return now;
    }

    public long Read(long start) => Add(ref _read, start);

    public long Decode(long start) => Add(ref _decode, start);

    public long Preprocess(long start) => Add(ref _preprocess, start);

    public long Infer(long start) => Add(ref _infer, start);

    public long Write(long start) => Add(ref _write, start);

    public void Finish(int vectors) => Interlocked.Add(ref _done, vectors);

    public TimeShares Shares()
    {
        // With the writer's own: its time is the longer one where hardly a photo can be decoded.
        double all = Math.Max(1, _read + _decode + _preprocess + _infer + _write);
        return new(_read / all, _decode / all, _preprocess / all, _infer / all, _write / all);
    }

    private static double Seconds(long ticks) => (double)ticks / Stopwatch.Frequency;
}
