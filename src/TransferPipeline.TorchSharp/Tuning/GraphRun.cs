using System.Runtime.InteropServices;
using TransferPipeline.Onnx;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>One pass of some photos through the graph, forward; the caller's dispose scope holds what it makes.</summary>
/// <param name="weights">In the order of the plan's parameters.</param>
/// <param name="photos">Number of photos.</param>
internal sealed class GraphRun(GraphPlan plan, HostMemory memory, IReadOnlyList<Tensor> weights, Device device, int photos)
{
    private readonly GraphValue?[] _values = new GraphValue?[plan.Slots];
    private readonly HostArray?[]? _known = memory.Find(photos);
    private readonly HostArray?[] _results = new HostArray?[plan.Nodes.Count];

    /// <summary>Nodes whose results were given.</summary>
    private readonly HashSet<int> _done = [];

    public Device Device => device;

    /// <summary>Train mode of BatchNormalization and Dropout.</summary>
    public bool IsTraining { get; init; }

    /// <summary>Products compute in bfloat16.</summary>
    public bool ComputesInBfloat16 { get; init; }

    /// <summary>Random numbers of this run's dropout.</summary>
    public Func<long, RandomStream> Random { get; init; } = part => RandomStream.OfPart(0, part);

    /// <summary>Bytes of all results that were made, without those that share memory with their input.</summary>
    public long MadeBytes { get; private set; }

    /// <summary>The features, N x D each, of inputs with the batch on their first axis.</summary>
    /// <exception cref="GraphRunException">A node's inputs do not fit.</exception>
    public Tensor[] Forward(IReadOnlyList<Tensor> inputs)
    {
        Begin(inputs);
        Compute(0, plan.Nodes.Count);
        return End();
    }

    /// <summary>Takes the inputs, before the first node.</summary>
    public void Begin(IReadOnlyList<Tensor> inputs)
    {
        foreach (var (slot, value) in plan.Constants)
            _values[slot] = GraphValue.Of(value);
        for (var i = 0; i < inputs.Count; i++)
            _values[plan.Inputs[i]] = GraphValue.Given(inputs[i]);
        for (var i = 0; i < weights.Count; i++)
            _values[plan.ParameterSlots[i]] = GraphValue.Given(weights[i]);
    }

    /// <summary>Computes the nodes from one place of the plan up to another, which is left out.</summary>
    /// <exception cref="GraphRunException">A node's inputs do not fit.</exception>
    public void Compute(int first, int end)
    {
        for (var i = first; i < end; i++)
        {
            var node = plan.Nodes[i];
            if (_known?[i] is { } host)
                _values[node.Outputs[0]] = GraphValue.Of(host);
            else if (!_done.Contains(i))
                Run(node);
            Release(node);
        }
    }

    /// <summary>The features, after the last node.</summary>
    public Tensor[] End()
    {
        // Only after a complete pass, in which every shape was computed.
        if (_known is null)
            memory.Add(photos, _results);
        return [.. plan.Outputs.Select(slot => _values[slot]!.Tensor!.Widened())];
    }

    /// <summary>A node with its inputs, for a caller that computes it.</summary>
    public OperatorCall Call(PlannedNode node) =>
        new(node, plan.Opset, Array.ConvertAll(node.Inputs, s => s < 0 ? null : _values[s]), this);

    /// <summary>Takes a result that the caller computed and disposes.</summary>
    /// <param name="last">The node that makes it; with it all nodes in between are done.</param>
    public void Give(PlannedNode node, PlannedNode last, Tensor result)
    {
        _values[last.Outputs[0]] = GraphValue.Given(result);
        if (last != node)
            _done.Add(last.Index);
        Release(node);
    }

    /// <summary>
    /// Cuts values off from the nodes that made them: later nodes take leaves, in which their gradients are left. The caller disposes both.
    /// </summary>
    public List<(Tensor Made, Tensor Leaf)> Cut(int[] slots)
    {
        var cut = new List<(Tensor, Tensor)>();
        foreach (var slot in slots)
        {
            if (_values[slot]?.Tensor is not { } made)
                continue;
            // A normalization sums in float32, and its gradient is left in the leaf.
            if (made.Widened() is var widened && !ReferenceEquals(widened, made))
                _values[slot] = GraphValue.Made(made = widened);
            // Later nodes run in scopes of their own.
            made.DetachFromDisposeScope();
            // Without gradients a value is released after its last use, as within one scope. A leaf was given and no node made it.
            if (!made.requires_grad || made.is_leaf)
                continue;
            var leaf = made.detach().requires_grad_(true).DetachFromDisposeScope();
            _values[slot] = GraphValue.Given(leaf);
            cut.Add((made, leaf));
        }

        return cut;
    }

    /// <summary>Disposes what is left of a run that ended early.</summary>
    public void Abandon()
    {
        foreach (var value in _values)
            value?.Release();
    }

    /// <summary>A tensor of this run with those values.</summary>
    public Tensor Keep(HostArray array) => array.NewTensor(device);

    /// <summary>0 for dropped values, 1 / (1 - ratio) for the others.</summary>
    public Tensor DropoutMask(PlannedNode node, long[] shape, double ratio)
    {
        // Drawn here: libtorch has one generator for all threads, and draws would depend on their order.
        var random = Random(node.Index);
        var (mask, kept) = (new float[HostShapes.Count(shape)], (float)(1 / (1 - ratio)));
        for (var i = 0; i < mask.Length; i++)
            mask[i] = random.Unit() < ratio ? 0 : kept;
        return tensor(mask, shape, device: device);
    }

    private void Release(PlannedNode node)
    {
        foreach (var slot in node.Released)
        {
            _values[slot]?.Release();
            _values[slot] = null;
        }
    }

    private void Run(PlannedNode node)
    {
        var call = Call(node);
        try
        {
            // First in C#: a shape that libtorch computed would be a tensor, which Reshape and Slice cannot take.
            if (HostOperators.Run(call) is { } host)
            {
                _results[node.Index] = host;
                _values[node.Outputs[0]] = GraphValue.Of(host);
                return;
            }

            var run = node.Function ?? throw new NotSupportedException($"a {call.Op} of values that depend on the photo");
            // What an operator needs on its way is disposed with this scope.
            using var scope = NewDisposeScope();
            var made = run(call);
            for (var i = 0; i < made.Length && i < node.Outputs.Length; i++)
            {
                // Operators that overwrite their input give back the same object.
                var overwritten = Array.FindIndex(call.Inputs, v => ReferenceEquals(v?.Tensor, made[i]));
                if (overwritten >= 0)
                    _values[node.Inputs[overwritten]] = null;
                else
                    // The result outlives this scope and is disposed after its last use (GraphValue.Release).
                    made[i].MoveToOuterDisposeScope();
                if (node.Outputs[i] >= 0)
                    _values[node.Outputs[i]] = GraphValue.Made(made[i]);
                if (overwritten < 0)
                    MadeBytes += made[i].numel() * made[i].ElementSize;
            }
        }
        catch (Exception e) when (e is InvalidDataException or NotSupportedException or ExternalException or ArgumentException)
        {
            // libtorch appends a C++ stack trace to its message.
            throw new GraphRunException($"{node.Description}: {e.FirstLine()}", e);
        }
    }
}

/// <summary>A node could not be computed; the message names it.</summary>
internal sealed class GraphRunException(string message, Exception inner) : Exception(message, inner);
