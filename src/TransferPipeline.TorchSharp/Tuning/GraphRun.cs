using System.Runtime.InteropServices;
using TransferPipeline.Onnx;
using static TorchSharp.torch;

namespace TransferPipeline.TorchSharp.Tuning;

/// <summary>One pass of some photos through the graph, forward; the caller's dispose scope holds what it makes.</summary>
/// <param name="weights">In the order of the plan's parameters.</param>
/// <param name="photos">Number of photos.</param>
internal sealed class GraphRun(GraphPlan plan, HostMemory memory, IReadOnlyList<Tensor> weights, Device device, int photos)
{
    public Device Device => device;

    /// <summary>Train mode of BatchNormalization and Dropout.</summary>
    public bool IsTraining { get; init; }

    /// <summary>Random numbers of this run's dropout.</summary>
    public Func<long, RandomStream> Random { get; init; } = part => RandomStream.OfPart(0, part);

    /// <summary>Bytes of all results that were made, without those that share memory with their input.</summary>
    public long MadeBytes { get; private set; }

    /// <summary>The features, N x D each, of inputs with the batch on their first axis.</summary>
    /// <exception cref="GraphRunException">A node's inputs do not fit.</exception>
    public Tensor[] Forward(IReadOnlyList<Tensor> inputs)
    {
        var values = new GraphValue?[plan.Slots];
        foreach (var (slot, value) in plan.Constants)
            values[slot] = GraphValue.Of(value);
        for (var i = 0; i < inputs.Count; i++)
            values[plan.Inputs[i]] = GraphValue.Given(inputs[i]);
        for (var i = 0; i < weights.Count; i++)
            values[plan.ParameterSlots[i]] = GraphValue.Given(weights[i]);
        var known = memory.Find(photos);
        var results = known ?? new HostArray?[plan.Nodes.Count];
        foreach (var node in plan.Nodes)
        {
            if (known?[node.Index] is { } host)
                values[node.Outputs[0]] = GraphValue.Of(host);
            else
                Run(node, values, results);
            foreach (var slot in node.Released)
            {
                values[slot]?.Release();
                values[slot] = null;
            }
        }

        // Only after a complete pass, in which every shape was computed.
        if (known is null)
            memory.Add(photos, results);
        return [.. plan.Outputs.Select(slot => values[slot]!.Tensor!)];
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

    private void Run(PlannedNode node, GraphValue?[] values, HostArray?[] results)
    {
        var call = new OperatorCall(node, plan.Opset, Array.ConvertAll(node.Inputs, s => s < 0 ? null : values[s]), this);
        try
        {
            // First in C#: a shape that libtorch computed would be a tensor, which Reshape and Slice cannot take.
            if (HostOperators.Run(call) is { } host)
            {
                results[node.Index] = host;
                values[node.Outputs[0]] = GraphValue.Of(host);
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
                    values[node.Inputs[overwritten]] = null;
                else
                    // The result outlives this scope and is disposed after its last use (GraphValue.Release).
                    made[i].MoveToOuterDisposeScope();
                if (node.Outputs[i] >= 0)
                    values[node.Outputs[i]] = GraphValue.Made(made[i]);
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
