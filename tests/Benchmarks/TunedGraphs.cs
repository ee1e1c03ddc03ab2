using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Backbones;
using TransferPipeline.Onnx;
using TransferPipeline.TorchSharp.Tuning;
using TransferPipeline.Tuning;

namespace TransferPipeline.Benchmarks;

/// <summary>Graphs as libtorch computes them: against ONNX Runtime, and for tests/rivals against PyTorch.</summary>
internal static class TunedGraphs
{
    private const int Classes = 10;

    /// <summary>Prints the largest difference of the features to ONNX Runtime's, relative to the largest value, for each file.</summary>
    public static void CompareForward(IReadOnlyList<string> files)
    {
        Console.WriteLine("| model | nodes | weights | largest difference |\n|---|---|---|---|");
        foreach (var file in files)
        {
            var (graph, model) = Open(file);
            using var part = TorchTuner.OpenPart(graph, new() { Threads = 2, Shards = 2 });
            var pixels = Pixels(4 * graph.Inputs[0].Values);
            var features = new float[4 * graph.Head.Dimension];
            part.Evaluate(new([pixels], new int[4]), new float[4 * Classes], features);
            using var session = new InferenceSession(model.SerializeWithWeights());
            var shape = graph.Inputs[0].Shape.Select(d => (long)d).Prepend(4).ToArray();
            using var input = OrtValue.CreateTensorValueFromMemory(pixels, shape);
            using var options = new RunOptions();
            using var results = session.Run(options, [model.InputName], [input], session.OutputNames);
            var expected = results[0].GetTensorDataAsSpan<float>();
            var (difference, largest) = (0f, 0f);
            for (var i = 0; i < features.Length; i++)
                (difference, largest) = (
                    Math.Max(difference, Math.Abs(features[i] - expected[i])),
                    Math.Max(largest, Math.Abs(expected[i]))
                );
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {Path.GetFileNameWithoutExtension(file)} | {graph.Model.Graph.Node.Count} | {part.Parameters.Count} "
                        + $"| {difference / largest:0.0e+0} |"
                )
            );
        }
    }

    /// <summary>
    /// Writes the gradients of a batch, one raw float32 file per weight with its name in names.txt. The folder has pixels.f32, labels.i32,
    /// head.f32 (C x D) and bias.f32 (C), and for a file with an auxiliary classifier auxiliary-head.f32 and auxiliary-bias.f32.
    /// </summary>
    public static void WriteGradients(string file, string folder)
    {
        var weights = Read<float>("head.f32");
        var bias = Read<float>("bias.f32");
        var (graph, _) = Open(file);
        graph = graph with { Head = graph.Head with { Weights = weights, Bias = bias } };
        if (graph.Auxiliary is { } auxiliary)
            graph = graph with
            {
                Auxiliary = auxiliary with { Weights = Read<float>("auxiliary-head.f32"), Bias = Read<float>("auxiliary-bias.f32") },
            };
        using var part = TorchTuner.OpenPart(graph, new() { Threads = 2 });
        var gradients = part.Gradients(new([Read<float>("pixels.f32")], Read<int>("labels.i32")));
        var names = gradients.Keys.ToList();
        File.WriteAllLines(Path.Combine(folder, "names.txt"), names);
        for (var i = 0; i < names.Count; i++)
            File.WriteAllBytes(Path.Combine(folder, $"{i}.f32"), MemoryMarshal.AsBytes(gradients[names[i]].AsSpan()).ToArray());

        T[] Read<T>(string name)
            where T : struct => MemoryMarshal.Cast<byte, T>(File.ReadAllBytes(Path.Combine(folder, name))).ToArray();
    }

    /// <summary>Prints the median time of a step that trains everything, SGD with momentum.</summary>
    public static void TimeSteps(string file, int photos, int steps, int threads, int shards, TunerPrecision precision)
    {
        var (graph, _) = Open(file);
        var options = new TunerOptions
        {
            Threads = threads,
            Shards = shards,
            Precision = precision,
        };
        using var part = TorchTuner.OpenPart(graph, options);
        var labels = Enumerable.Range(0, photos).Select(i => i % Classes).ToArray();
        var batch = new TunedBatch([Pixels(photos * graph.Inputs[0].Values)], labels);
        var times = new List<(double Wall, double Processor)>();
        var process = Process.GetCurrentProcess();
        for (var i = 0; i < steps; i++)
        {
            process.Refresh();
            var (watch, before) = (Stopwatch.StartNew(), process.TotalProcessorTime);
            part.Train(batch, 1e-5, 1e-5);
            process.Refresh();
            times.Add((watch.Elapsed.TotalMilliseconds, (process.TotalProcessorTime - before).TotalMilliseconds));
        }

        var (wall, processor) = times.Skip(1).OrderBy(t => t.Wall).ElementAt((times.Count - 1) / 2);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Path.GetFileName(file)}: {wall:0} ms ({processor:0} ms of processors) for a step of {photos} photos, {threads} threads, "
                    + $"{shards} shards; peak memory {process.PeakWorkingSet64 / 1e9:0.00} GB, "
                    + $"activations per photo {part.ActivationBytesPerPhoto / 1e6:0.0} MB"
            )
        );
    }

    private static (TunedGraph Graph, CutModel Model) Open(string file)
    {
        var whole = DividedBackbone.Make(Backbone.Open(file), SeparatingCuts.All, CutRequest.Default);
        var graph = new TunedGraph
        {
            Model = whole.Upper,
            Inputs = [whole.Input],
            Head = Zero(whole.Feature, whole.Dimension),
            Auxiliary = whole.Auxiliary is { } early ? Zero(early.Name, early.Dimension) : null,
        };
        return (graph, whole.Lower);
    }

    private static TunedHead Zero(string feature, int dimension) =>
        new(feature, dimension, new float[Classes * dimension], new float[Classes]);

    private static float[] Pixels(int count)
    {
        var random = RandomStream.OfPart(1, 1);
        return [.. Enumerable.Range(0, count).Select(i => (float)random.NormalAt((ulong)i))];
    }
}
