using System.Runtime.InteropServices;
using TransferPipeline.Onnx;
using TransferPipeline.Platform;
using TransferPipeline.Tuning;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>A graph and its head as a function of libtorch with gradients.</summary>
internal sealed partial class TorchTunedPart : ITunedPart
{
    private readonly TunedGraph _graph;
    private readonly TunerOptions _options;
    private readonly GraphPlan _plan;
    private readonly HostMemory _memory = new();
    private readonly Optimizer _optimizer;
    private readonly ShardThreads _threads;
    private readonly Device _device;
    private readonly bool _channelsLast;
    private readonly bool _isSynchronized;
    private readonly bool _computesInBfloat16;
    private readonly TrainedTensor[] _weights;
    private readonly TrainedTensor[] _heads;
    private readonly Tensor? _classWeights;
    private long _steps;

    public TorchTunedPart(TunedGraph graph, TunerOptions options)
    {
        (_graph, _options) = (graph, options);
        _device = TorchRuntime.Device("finetune", options.Device == TunerDevice.Cuda ? TorchDevice.Cuda : TorchDevice.Cpu);
        _computesInBfloat16 = options.Precision == TunerPrecision.Bfloat16;
        if (_computesInBfloat16 && Bfloat16.Problem is { } problem)
            throw new JobFailedException($"finetune: precision bf16 cannot be used: {problem}; use fp32");
        // Each step allocates and frees the same blocks; Dispose gives them back.
        NativeHeap.Reuse();
        _plan = new GraphPlan(graph);
        _optimizer = new Optimizer(options.Optimizer, options.Momentum, options.WeightDecay);
        var hasStatistics = _plan.Parameters.Any(p => p.IsStatistic);
        // A GPU computes a batch at once.
        Shards = options.Device == TunerDevice.Cuda ? 1 : Math.Max(1, options.Shards);
        _isSynchronized = hasStatistics && options.Device == TunerDevice.Cpu;
        // Faster for most convolutions; but where libtorch sums a batch's statistics, it does so in float32 then (ChannelSums).
        _channelsLast = !hasStatistics || _isSynchronized;
        _threads = new ShardThreads(Math.Clamp(options.Threads, 1, Shards));
        _weights = [.. _plan.Parameters.Select(Load)];
        _heads = [.. Heads().SelectMany((head, i) => Load(i, head))];
        if (options.ClassWeights is { } classWeights)
            _classWeights = tensor(classWeights, device: _device).DetachFromDisposeScope();
        ActivationBytesPerPhoto = TryOnePhoto();
    }

    public IReadOnlyList<TunedParameter> Parameters => _plan.Parameters;

    public long ActivationBytesPerPhoto { get; }

    public int Shards { get; }

    public bool KeepsBatch => _isSynchronized;

    public long WeightBytes => _weights.Concat(_heads).Sum(w => w.Bytes);

    private IEnumerable<TrainedTensor> All => _weights.Concat(_heads);

    public StepResult Evaluate(TunedBatch batch, Span<float> logits, Span<float> features)
    {
        var shards = Shard(batch.Photos);
        var results = new (StepResult Result, float[] Logits, float[] Features)[shards.Length];
        var wantsFeatures = features.Length > 0;
        Guarded(() => _threads.Run(shards.Length, s => results[s] = EvaluateShard(batch, shards[s], wantsFeatures)));
        var sum = default(StepResult);
        for (var s = 0; s < shards.Length; s++)
        {
            var (result, shardLogits, shardFeatures) = results[s];
            shardLogits.CopyTo(logits[(shards[s].First * _graph.Head.Classes)..]);
            if (wantsFeatures)
                shardFeatures.CopyTo(features[(shards[s].First * _graph.Head.Dimension)..]);
            sum = new(sum.Loss + result.Loss, sum.Weight + result.Weight, sum.Correct + result.Correct);
        }

        return sum;
    }

    public TunedWeights Weights() =>
        new(_weights.ToDictionary(w => w.Name, w => w.Values(), StringComparer.Ordinal), _heads[0].Values(), _heads[1].Values());

    public void SetWeights(TunedWeights weights)
    {
        foreach (var weight in _weights)
            weight.SetValues(weights.Graph[weight.Name]);
        _heads[0].SetValues(weights.HeadWeights);
        _heads[1].SetValues(weights.HeadBias);
    }

    public void Dispose()
    {
        _threads.Dispose();
        foreach (var weight in All)
            weight.Dispose();
        _classWeights?.Dispose();
        _memory.Dispose();
        _plan.Dispose();
        NativeHeap.Trim();
    }

    private (StepResult Result, float[] Logits, float[] Features) EvaluateShard(TunedBatch batch, Range shard, bool wantsFeatures)
    {
        using var scope = NewDisposeScope();
        using var still = no_grad();
        // Without gradients all shards can read the same leaf.
        var features = Run(shard.Count, isTraining: false, 0).Forward(Inputs(batch, shard));
        var logits = Logits(features[0], 0, 0);
        var labels = Labels(batch, shard);
        var result = Result(Loss(logits, labels), logits, labels);
        return (result, TrainedTensor.Read(logits), wantsFeatures ? TrainedTensor.Read(features[0]) : []);
    }

    private GraphRun Run(int photos, bool isTraining, int shard) =>
        new(_plan, _memory, Array.ConvertAll(_weights, w => isTraining ? w.Of(shard) : w.Master), _device, photos)
        {
            IsTraining = isTraining,
            // What is evaluated is what is written: float32.
            ComputesInBfloat16 = isTraining && _computesInBfloat16,
            Random = node => RandomStream.OfPart(_options.Seed, HashCode(_steps, shard, node)),
        };

    /// <summary>Tells the draws of different steps, shards and nodes apart.</summary>
    // The factors are above the numbers of shards and of nodes, so that no two triples share a number.
    private static long HashCode(long step, int shard, long node) => ((step * 1009) + shard) * 100_003 + node;

    private Tensor Logits(Tensor feature, int head, int shard)
    {
        var dimension = _heads[2 * head].Shape[1];
        // A feature may still have axes of length 1, as behind a global pooling.
        return nn.functional.linear(feature.reshape(-1, dimension), _heads[2 * head].Of(shard), _heads[2 * head + 1].Of(shard));
    }

    /// <summary>Sum over the photos.</summary>
    private Tensor Loss(Tensor logits, Tensor labels) =>
        // Sums, since shards are added and the weight of the whole batch divides them.
        nn.functional.cross_entropy(logits, labels, _classWeights, reduction: nn.Reduction.Sum, label_smoothing: _options.LabelSmoothing);

    private StepResult Result(Tensor loss, Tensor logits, Tensor labels)
    {
        using var still = no_grad();
        var weight = _classWeights?.index_select(0, labels).sum().item<float>() ?? labels.numel();
        return new(loss.item<float>(), weight, (int)logits.argmax(1).eq(labels).sum().item<long>());
    }

    private List<Tensor> Inputs(TunedBatch batch, Range shard)
    {
        var tensors = new List<Tensor>();
        for (var i = 0; i < _graph.Inputs.Count; i++)
        {
            var input = _graph.Inputs[i];
            var made = empty([shard.Count, .. input.Shape.Select(d => (long)d)], ScalarType.Float32);
            var values = batch.Inputs[i].Span.Slice(shard.First * input.Values, shard.Count * input.Values);
            MemoryMarshal.AsBytes(values).CopyTo(made.bytes);
            made = made.to(_device);
            // Only the order in memory changes, as that of the weights (TrainedTensor).
            if (_channelsLast && made.dim() == 4)
                made = made.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
            tensors.Add(made);
        }

        return tensors;
    }

    private Tensor Labels(TunedBatch batch, Range shard)
    {
        var labels = batch.Labels.Span.Slice(shard.First, shard.Count).ToArray();
        return tensor(Array.ConvertAll(labels, l => (long)l), device: _device);
    }

    /// <summary>The photos of each shard; small batches have fewer shards.</summary>
    private Range[] Shard(int photos)
    {
        var shards = Math.Min(Shards, photos);
        return
        [
            .. Enumerable
                .Range(0, shards)
                .Select(s => (First: (int)((long)photos * s / shards), End: (int)((long)photos * (s + 1) / shards)))
                .Select(r => new Range(r.First, r.End - r.First)),
        ];
    }

    private IEnumerable<TunedHead> Heads() => _graph.Auxiliary is { } auxiliary ? [_graph.Head, auxiliary] : [_graph.Head];

    private TrainedTensor[] Load(int head, TunedHead start) =>
        [
            new($"head {head} weights", start.Weights, [start.Classes, start.Dimension], Shards, _optimizer.States, _device, false),
            new($"head {head} bias", start.Bias, [start.Classes], Shards, _optimizer.States, _device, false),
        ];

    private TrainedTensor Load(TunedParameter parameter)
    {
        var (shards, states) = parameter.IsStatistic ? (0, 0) : (Shards, _optimizer.States);
        var values = TensorData.Floats(new GraphIndex(_graph.Model.Graph, "").Constant(parameter.Name)!);
        var inBfloat16 = _computesInBfloat16 && _plan.IsFactor(parameter.Name);
        return new(parameter.Name, values, [.. parameter.Shape], shards, states, _device, _channelsLast, inBfloat16);
    }

    /// <summary>Runs the graph once, so that what does not fit is found before training.</summary>
    /// <returns>Bytes of all activations.</returns>
    /// <exception cref="BadInputException">The graph does not fit the cut's shapes or the heads.</exception>
    private long TryOnePhoto()
    {
        // Zeros do: shapes that depend on pixels are refused.
        var batch = new TunedBatch([.. _graph.Inputs.Select(i => new ReadOnlyMemory<float>(new float[i.Values]))], new int[1]);
        try
        {
            using var scope = NewDisposeScope();
            using var still = no_grad();
            var run = Run(1, isTraining: false, 0);
            var features = run.Forward(Inputs(batch, new(0, 1)));
            foreach (var (feature, head) in features.Zip(Heads()))
            {
                if (feature.numel() != head.Dimension)
                    throw new BadInputException(
                        $"the tensor '{head.Feature}' has {feature.numel()} values per photo, but the head takes {head.Dimension}"
                    );
            }

            return run.MadeBytes;
        }
        catch (GraphRunException e)
        {
            throw new BadInputException(
                $"the part above the cut cannot be computed at the shapes of the cut: {e.Message}; choose a cut behind it",
                e
            );
        }
    }

    /// <exception cref="JobFailedException">libtorch failed, mostly for want of memory.</exception>
    private static void Guarded(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is GraphRunException or ExternalException)
        {
            throw new JobFailedException($"a step of training failed ({e.FirstLine()}); a smaller batch takes less memory", e);
        }
    }

    private readonly record struct Range(int First, int Count);
}
