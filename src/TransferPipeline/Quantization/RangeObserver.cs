using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using TransferPipeline.Onnx;
using TransferPipeline.Platform;

namespace TransferPipeline.Quantization;

/// <summary>Runs a float network on calibration photos with the tensors that will be quantized as its outputs.</summary>
internal sealed class RangeObserver : IDisposable
{
    private readonly InferenceSession _session;
    private readonly FloatNetwork _network;
    private readonly string[] _tensors;
    private readonly HashSet<string> _channelsFirst;
    private readonly int _threads;

    public RangeObserver(FloatNetwork network, IReadOnlyList<string> tensors, int threads)
    {
        (_network, _threads) = (network, threads);
        // ONNX Runtime takes no input as an output.
        _tensors = [.. tensors.Where(t => t != network.Input.Name)];
        var observed = network.Model.Clone();
        // Only what will be quantized: ONNX Runtime then leaves out the layers behind the last of these tensors.
        observed.Graph.Output.Clear();
        observed.Graph.Output.AddRange(_tensors.Select(t => new ValueInfoProto { Name = t }));
        _session = Sessions.Create(observed);
        HasInput = _tensors.Length < tensors.Count;
        _channelsFirst = network
            .Model.Graph.Node.Where(n => n.OpType == "Conv" && network.Index.Constant(n.Input[1]) is { Dims.Count: 3 })
            .Select(n => n.Input[0])
            .ToHashSet(StringComparer.Ordinal);
    }

    private bool HasInput { get; }

    /// <summary>Ranges, means and histograms of the tensors; the same whatever the number of threads.</summary>
    public Dictionary<string, TensorStatistics> Observe(CalibrationPhotos photos, bool histograms, CancellationToken cancellation)
    {
        var names = HasInput ? [.. _tensors, _network.Input.Name] : _tensors;
        // By photo, so that no lock is needed and sums can be taken in order afterwards.
        var seen = new PhotoStatistics[photos.Count][];
        Run(
            photos,
            cancellation,
            (photo, index, values, shape) =>
                (seen[photo] ??= new PhotoStatistics[names.Length])[index] = PhotoStatistics.Of(
                    values,
                    shape,
                    _channelsFirst.Contains(names[index])
                )
        );
        var all = names.Select((_, i) => new TensorStatistics(seen[0][i].Means.Length)).ToArray();
        // In the order of photos: a sum of doubles depends on the order, and threads finish in any.
        foreach (var photo in seen)
        {
            for (var i = 0; i < all.Length; i++)
                all[i].Add(photo[i], photos.Count);
        }

        var result = names.Zip(all).ToDictionary(p => p.First, p => p.Second, StringComparer.Ordinal);
        RequireFinite(result);
        if (histograms)
        {
            // A second pass: bins of equal width need the smallest and largest value first.
            foreach (var statistics in all)
                statistics.Histogram = new(statistics.Min, statistics.Max);
            Run(
                photos,
                cancellation,
                (_, index, values, _) =>
                {
                    // Counted apart first: under the lock 2,048 counts are added instead of a whole tensor's values.
                    var own = new Histogram(all[index].Min, all[index].Max);
                    own.Add(values);
                    // Counts are integers: the order in which threads add them does not matter.
                    lock (all[index])
                        all[index].Histogram!.Add(own);
                }
            );
        }

        return result;
    }

    public void Dispose()
    {
        _session.Dispose();
        // Every observed tensor was an output of every thread's run, and the C library would keep that memory.
        NativeHeap.Trim();
    }

    private delegate void Visitor(int photo, int tensor, ReadOnlySpan<float> values, long[] shape);

    private void Run(CalibrationPhotos photos, CancellationToken cancellation, Visitor visit) =>
        photos.Run(
            _session,
            _network.Input,
            _tensors,
            _threads,
            (photo, pixels, outputs) =>
            {
                if (HasInput)
                    visit(photo, _tensors.Length, pixels, _network.Input.Shape(1));
                for (var i = 0; i < outputs.Count; i++)
                    visit(photo, i, outputs[i].GetTensorDataAsSpan<float>(), outputs[i].GetTensorTypeAndShape().Shape);
            },
            cancellation
        );

    private void RequireFinite(Dictionary<string, TensorStatistics> all)
    {
        foreach (var (name, statistics) in all)
        {
            if (!float.IsFinite(statistics.Min) || !float.IsFinite(statistics.Max))
                throw new JobFailedException(
                    $"the tensor '{name}' has values that are not finite on the calibration photos: check the preprocessing of the model"
                );
        }
    }
}
