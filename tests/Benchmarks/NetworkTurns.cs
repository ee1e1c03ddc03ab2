using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Onnx;

namespace TransferPipeline.Benchmarks;

/// <summary>Times whole ONNX files on one thread, one run of each in turn, so that other work on the machine meets all alike.</summary>
internal static class NetworkTurns
{
    /// <param name="turns">Runs of each file.</param>
    /// <param name="files">ONNX files of one float input; <c>default:FILE</c> leaves saturating sums as ONNX Runtime has them.</param>
    public static void Run(int turns, IReadOnlyList<string> files)
    {
        var networks = files.Select(f => new Network(f)).ToList();
        for (var turn = 0; turn <= turns; turn++)
        {
            foreach (var network in networks)
                network.Run(measured: turn > 0);
        }

        Console.WriteLine("milliseconds: least, tenth percentile, median");
        foreach (var network in networks)
        {
            var sorted = network.Milliseconds.Order().ToList();
            Console.WriteLine(
                FormattableString.Invariant(
                    $"{sorted[0], 8:f2} {sorted[sorted.Count / 10], 8:f2} {sorted[sorted.Count / 2], 8:f2}  {network.Name}"
                )
            );
            network.Dispose();
        }
    }

    private sealed class Network : IDisposable
    {
        private const string LeaveAsIs = "default:";

        private readonly InferenceSession _session;
        private readonly string _input;
        private readonly OrtValue _pixels;
        private readonly RunOptions _options = new();

        public Network(string name)
        {
            Name = name;
            using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
            var file = name.Replace(LeaveAsIs, "", StringComparison.Ordinal);
            if (file == name)
                IntegerArithmetic.RequireExactSums(options, OnnxFile.Read(file).Model.Graph);
            _session = new(file, options);
            _input = _session.InputNames[0];
            // A dimension that stays open, the batch, is -1.
            long[] shape = [.. _session.InputMetadata[_input].Dimensions.Select(d => (long)Math.Max(1, d))];
            var random = RandomStream.OfDraws(1);
            var pixels = new float[shape.Aggregate(1L, (a, b) => a * b)];
            foreach (ref var pixel in pixels.AsSpan())
                pixel = (float)((random.Unit() * 2) - 1);
            _pixels = OrtValue.CreateTensorValueFromMemory(pixels, shape);
        }

        public string Name { get; }

        public List<double> Milliseconds { get; } = [];

        public void Run(bool measured)
        {
            var start = Stopwatch.GetTimestamp();
            using var results = _session.Run(_options, [_input], [_pixels], [_session.OutputNames[0]]);
            if (measured)
                Milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        public void Dispose()
        {
            _pixels.Dispose();
            _options.Dispose();
            _session.Dispose();
        }
    }
}
