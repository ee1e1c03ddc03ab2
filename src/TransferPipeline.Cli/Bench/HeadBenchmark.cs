using System.Diagnostics;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Cli.Bench;

/// <summary>One head's fits in a benchmark.</summary>
/// <param name="Seconds">Wall time of each round, the first (which includes compiling) among them.</param>
/// <param name="ProcessorSeconds">The same of all cores together.</param>
/// <param name="PredictSeconds">Least wall time of scoring the rows, of as many rounds.</param>
/// <param name="Accuracy">Share of right predictions on the rows trained on.</param>
internal sealed record HeadBenchmarkResult(
    string Head,
    IReadOnlyDictionary<string, string> Parameters,
    double[] Seconds,
    double[] ProcessorSeconds,
    double Objective,
    double RelativeGap,
    int Iterations,
    int Passes,
    bool Converged,
    double Accuracy,
    double PredictSeconds
)
{
    /// <summary>Files of a linear head's weights (K x D) and biases (K), as npy; null when they are not wanted.</summary>
    public string? Weights { get; init; }

    public string? Bias { get; init; }
}

/// <summary>Fits heads on vectors from npy files, several times each, to be timed beside other tools on the same files.</summary>
internal static class HeadBenchmark
{
    /// <param name="vectors">npy, N x D float32.</param>
    /// <param name="labels">npy, N int32 or int64, classes from 0.</param>
    /// <param name="heads">As in <c>compare --heads</c>: <c>softmax:C=1,linear-svm:C=0.01</c>. A path option may be a bracketed list; one
    /// call then fits the path.</param>
    /// <param name="trainers">The heads to choose from.</param>
    /// <param name="coefficients">Folder for the weights of linear heads, or null.</param>
    /// <exception cref="BadInputException">A file is not such an array, or their lengths differ.</exception>
    public static IReadOnlyList<HeadBenchmarkResult> Run(
        string vectors,
        string labels,
        string heads,
        IReadOnlyList<IHeadTrainer> trainers,
        int rounds,
        int threads,
        string? coefficients,
        Action<string> warn,
        CancellationToken cancellation = default
    )
    {
        var x = NpyFile.ReadMatrix(vectors);
        var y = NpyFile.ReadLabels(labels);
        if (x.Rows != y.Length)
            Throw.BadInput($"{vectors} has {x.Rows} rows and {labels} {y.Length}; expected as many labels as rows");
        var data = new TrainingRows(x, y, [.. Enumerable.Range(0, x.Rows)], y.Max() + 1);
        if (coefficients is not null)
        {
            OutputTarget.RequireFolder(coefficients);
            Directory.CreateDirectory(coefficients);
        }

        var results = new List<HeadBenchmarkResult>();
        foreach (var requested in HeadListParser.Parse(heads, trainers))
        {
            var (options, path) = Options(requested);
            var times = new Times(rounds);
            IReadOnlyList<IHead> fitted = [];
            for (var round = 0; round < rounds; round++)
            {
                // A context of its own, so that no round finds another's work.
                var context = new TrainingContext
                {
                    Threads = threads,
                    Warn = warn,
                    Cancellation = cancellation,
                };
                times.Start();
                fitted =
                    path.Length > 0
                        ? ((IPathTrainer)requested.Trainer).TrainPath(data, options, path, context)
                        : [requested.Trainer.Train(data, options, context)];
                times.Stop(round);
            }

            // Ridge also gives the leave-one-out accuracies of its path from one factorization, as RidgeClassifierCV.
            if (options is Ridge ridge && path.Length > 0)
                results.Add(LeaveOneOut(data, ridge, path, rounds, threads, cancellation));
            foreach (var head in fitted)
                results.Add(Evaluate(head, data, times, threads, coefficients, results.Count));
        }

        return results;
    }

    /// <summary>The whole path's leave-one-out; the accuracy is that of the best penalty.</summary>
    private static HeadBenchmarkResult LeaveOneOut(
        TrainingRows data,
        Ridge options,
        double[] path,
        int rounds,
        int threads,
        CancellationToken cancellation
    )
    {
        var times = new Times(rounds);
        IReadOnlyList<RidgeLeaveOneOutResult> found = [];
        for (var round = 0; round < rounds; round++)
        {
            times.Start();
            found = RidgeLeaveOneOut.Run(data, options, path, new TrainingContext { Threads = threads, Cancellation = cancellation });
            times.Stop(round);
        }

        return new(
            "ridge leave-one-out",
            options.Values,
            times.Wall,
            times.Processor,
            double.NaN,
            0,
            1,
            0,
            true,
            found.Max(r => r.Accuracy),
            0
        );
    }

    private static (HeadOptions Options, double[] Path) Options(HeadListParser.RequestedHead requested)
    {
        if (
            requested.Trainer is not IPathTrainer trainer
            || !requested.Options.TryGetValue(trainer.PathOption, out var text)
            || !text.StartsWith('[')
        )
            return (HeadOptions.Parse(requested.Trainer, requested.Options), []);
        var others = requested.Options.Where(o => o.Key != trainer.PathOption).ToDictionary();
        return (
            HeadOptions.Parse(requested.Trainer, others),
            [.. SweepParser.Parse(requested.Trainer, trainer.PathOption, text).Values.Select(v => v.Number)]
        );
    }

    private static HeadBenchmarkResult Evaluate(IHead head, TrainingRows data, Times times, int threads, string? coefficients, int index)
    {
        var scores = new float[(long)data.Rows.Length * head.ClassCount];
        var seconds = double.PositiveInfinity;
        for (var round = 0; round < times.Wall.Length; round++)
        {
            var start = Stopwatch.GetTimestamp();
            head.Score(data.X, data.Rows, scores, threads);
            seconds = Math.Min(seconds, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        var right = 0;
        for (var i = 0; i < data.Rows.Length; i++)
        {
            var row = scores.AsSpan(i * head.ClassCount, head.ClassCount);
            right += row.IndexOf(System.Numerics.Tensors.TensorPrimitives.Max<float>(row)) == data.Y[data.Rows[i]] ? 1 : 0;
        }

        var result = new HeadBenchmarkResult(
            head.Name,
            head.Options.Values,
            times.Wall,
            times.Processor,
            head.Fit.Objective,
            head.Fit.RelativeGap,
            head.Fit.Iterations,
            head.Fit.Passes,
            head.Fit.Converged,
            (double)right / data.Rows.Length,
            seconds
        );
        if (coefficients is null || head is not LinearHead linear)
            return result;
        var (weights, bias) = (Path.Combine(coefficients, $"weights-{index}.npy"), Path.Combine(coefficients, $"bias-{index}.npy"));
        NpyFile.Write(weights, linear.Weights, linear.ClassCount, linear.Dimension);
        NpyFile.Write(bias, linear.Bias, linear.ClassCount);
        return result with { Weights = weights, Bias = bias };
    }

    /// <summary>Seconds of each round.</summary>
    private sealed class Times(int rounds)
    {
        private long _start;
        private TimeSpan _processorStart;

        public double[] Wall { get; } = new double[rounds];

        public double[] Processor { get; } = new double[rounds];

        public void Start() => (_start, _processorStart) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);

        public void Stop(int round) =>
            (Wall[round], Processor[round]) = (
                Stopwatch.GetElapsedTime(_start).TotalSeconds,
                (Environment.CpuUsage.TotalTime - _processorStart).TotalSeconds
            );
    }
}
