using TransferPipeline.Onnx;

namespace TransferPipeline.Quantization;

/// <summary>A layer with weights that stays in float.</summary>
/// <param name="Reason">Why, in a few words.</param>
internal sealed record FloatLayer(string Name, string Operator, string Reason);

/// <summary>A network in 8 bits.</summary>
/// <param name="Layers">Layers with weights that are computed in 8 bits.</param>
/// <param name="Left">Layers with weights that are not.</param>
/// <param name="Equalized">Whether equalization brought the vectors closer and was kept.</param>
/// <param name="Cosine">Mean cosine to the float vectors on the photos of the search.</param>
internal sealed record QuantizedNetwork(ModelProto Model, int Layers, IReadOnlyList<FloatLayer> Left, bool Equalized, double Cosine);

/// <summary>Static quantization after training: ranges from photos, weights per channel, sensitive layers left in float.</summary>
internal sealed class Quantizer
{
    /// <summary>Photos on which forms of the network are compared while it is made.</summary>
    private const int DriftPhotos = 32;

    /// <summary>Share of a factor that goes to the map, the rest to the weights that take it.</summary>
    private const double Balance = 0.5;

    private readonly FloatNetwork _exact;
    private readonly CalibrationPhotos _photos;
    private readonly QuantizationOptions _options;
    private readonly VectorDrift _drift;
    private readonly int _threads;
    private readonly CancellationToken _cancellation;

    private Quantizer(
        FloatNetwork network,
        CalibrationPhotos photos,
        QuantizationOptions options,
        int threads,
        CancellationToken cancellation
    )
    {
        (_exact, _photos, _options, _threads, _cancellation) = (network, photos, options, threads, cancellation);
        // Few photos suffice: candidates are compared on the same ones, and a search makes dozens of runs.
        _drift = new(network, photos.First(DriftPhotos), threads, cancellation);
    }

    /// <param name="progress">Receives a line as each piece of work begins.</param>
    /// <exception cref="UsageException">The network has no layer that can be quantized.</exception>
    public static QuantizedNetwork Run(
        FloatNetwork network,
        CalibrationPhotos photos,
        QuantizationOptions options,
        int threads,
        Action<string> progress,
        CancellationToken cancellation
    ) => new Quantizer(network, photos, options, threads, cancellation).Run(progress);

    private QuantizedNetwork Run(Action<string> progress)
    {
        progress($"measuring ranges on {_photos.Count} photos");
        // 1. Ranges of the network as it is: the form that every other one has to beat.
        var plain = Calibrate(_exact);
        if (!new QuantizationPlan(_exact, Nothing).Layers.Any())
            Throw.Usage(
                "no layer of the network can be computed in 8 bits: it has no Conv, Gemm or MatMul with constant weights before the feature"
            );
        var best = (Candidate: plain, Cosine: Cosine(plain, Nothing), Equalized: false);
        // 2. Equalization changes the ranges, so they are measured again. It can also make vectors worse: the drift decides.
        if (Equalization.Apply(_exact, plain.Statistics, Balance) is { } equalized)
        {
            progress("equalizing channels");
            var candidate = Calibrate(equalized);
            var cosine = Cosine(candidate, Nothing);
            if (cosine > best.Cosine)
                best = (candidate, cosine, true);
        }

        // 3. Sensitive layers, only where the vectors are not close enough: each layer in float costs speed.
        var left = Nothing;
        if (best.Cosine < _options.MinCosine && _options.MaxFloatLayers > 0)
        {
            progress("searching sensitive layers");
            (left, best.Cosine) = LeaveSensitive(best.Candidate, best.Cosine);
        }

        var plan = new QuantizationPlan(best.Candidate.Network, left);
        List<FloatLayer> inFloat =
        [
            .. plan.FloatLayers().Select(f => new FloatLayer(QuantizationPlan.LayerName(f.Node), f.Node.OpType, f.Reason)),
        ];
        return new(Write(best.Candidate, left), plan.Layers.Count(), inFloat, best.Equalized, best.Cosine);
    }

    private static IReadOnlySet<string> Nothing { get; } = new HashSet<string>();

    private Candidate Calibrate(FloatNetwork network)
    {
        // With nothing in float: a search then tries layers without new runs of the calibration photos.
        var tensors = new QuantizationPlan(network, Nothing).Tensors;
        if (tensors.Count == 0)
            return new(network, new Dictionary<string, TensorStatistics>(), []);
        using var observer = new RangeObserver(network, tensors, _threads);
        var statistics = observer.Observe(_photos, _options.Method != CalibrationMethod.Minmax, _cancellation);
        var ranges = statistics.ToDictionary(
            s => s.Key,
            s =>
                s.Value.Histogram is { } histogram
                    ? RangeMethods.Choose(_options.Method, histogram)
                    : QuantizedRange.Of(s.Value.Min, s.Value.Max),
            StringComparer.Ordinal
        );
        return new(network, statistics, ranges);
    }

    private ModelProto Write(Candidate candidate, IReadOnlySet<string> left) =>
        QdqWriter.Write(
            candidate.Network,
            new(candidate.Network, left),
            candidate.Ranges,
            _options.WeightRange == WeightRange.Reduced,
            candidate.Statistics.ToDictionary(s => s.Key, s => s.Value.Means, StringComparer.Ordinal)
        );

    private double Cosine(Candidate candidate, IReadOnlySet<string> left) => _drift.Cosine(Write(candidate, left), _cancellation);

    /// <summary>
    /// Each layer alone in float shows what its weights cost, each tensor in float, with the layers that make and take it, what its levels
    /// cost. Those that gain most for each layer stay in float, one more at a time, until the vectors are close.
    /// </summary>
    private (IReadOnlySet<string> Left, double Cosine) LeaveSensitive(Candidate candidate, double cosine)
    {
        var plan = new QuantizationPlan(candidate.Network, Nothing);
        var layers = plan.Layers.Select(QuantizationPlan.LayerName).ToHashSet(StringComparer.Ordinal);
        var start = cosine;
        // Gain per layer, since the limit counts layers; a trial that alone exceeds the limit could never be taken.
        var trials = plan.Neighbourhoods()
            .Select(names => (Names: names, Layers: names.Count(layers.Contains)))
            .Where(t => t.Layers > 0 && t.Layers <= _options.MaxFloatLayers)
            .Select(t => (t.Names, Gain: (Cosine(candidate, t.Names) - start) / t.Layers))
            .ToList();
        var left = new HashSet<string>(StringComparer.Ordinal);
        // Greedily: the combinations of dozens of trials cannot all be measured.
        foreach (var (names, _) in trials.Where(t => t.Gain > 0).OrderByDescending(t => t.Gain))
        {
            HashSet<string> more = [.. left, .. names];
            if (more.Count == left.Count || more.Count(layers.Contains) > _options.MaxFloatLayers)
                continue;
            // Measured together with those that are left already: gains of single layers do not add up.
            var reached = Cosine(candidate, more);
            if (reached <= cosine)
                continue;
            (left, cosine) = (more, reached);
            if (cosine >= _options.MinCosine)
                break;
        }

        return (left, cosine);
    }

    /// <summary>A network with the ranges of its tensors.</summary>
    private sealed record Candidate(
        FloatNetwork Network,
        IReadOnlyDictionary<string, TensorStatistics> Statistics,
        Dictionary<string, QuantizedRange> Ranges
    );
}
