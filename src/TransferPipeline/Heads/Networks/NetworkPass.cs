using System.Numerics;
using System.Numerics.Tensors;
using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Networks;

/// <summary>Passes of a batch through a network, forward and back, with the buffers that they need.</summary>
internal sealed class NetworkPass
{
    private readonly DenseNetwork _network;
    private readonly float[][] _outputs;
    private readonly float[][] _deltas;
    private readonly float[] _transposed;
    private readonly Parameter[] _weights;
    private readonly Parameter[] _biases;

    /// <param name="batch">Most rows of a pass.</param>
    /// <param name="learns">Whether there will be passes back.</param>
    public NetworkPass(DenseNetwork network, int batch, bool learns)
    {
        _network = network;
        Inputs = new float[checked(batch * network.Inputs)];
        _outputs = [.. network.Layers.Select(l => new float[batch * l.Outputs])];
        _deltas = [.. network.Layers.Select(l => new float[batch * l.Outputs])];
        _transposed = new float[learns ? batch * network.Layers.Max(l => l.Outputs) : 0];
        // Gradients and the solver's memory take two or three times the weights: a pass that only evaluates has none.
        _weights = learns ? [.. network.Layers.Select(l => new Parameter(l.Weights))] : [];
        _biases = learns ? [.. network.Layers.Select(l => new Parameter(l.Bias))] : [];
    }

    /// <summary>What a solver updates: weights and biases of the network.</summary>
    public IEnumerable<Parameter> Parameters => _weights.Concat(_biases);

    /// <summary>The rows of the batch, to be filled before a pass.</summary>
    public float[] Inputs { get; }

    /// <param name="dropout">Null outside training.</param>
    public void Forward(int rows, Dropout? dropout, int threads)
    {
        var values = Inputs;
        for (var l = 0; l < _network.Layers.Count; l++)
        {
            var (layer, to) = (_network.Layers[l], _outputs[l]);
            MatMul.TransposedB(values, layer.Weights, to, rows, layer.Outputs, layer.Inputs, threads);
            for (var i = 0; i < rows; i++)
            {
                var row = to.AsSpan(i * layer.Outputs, layer.Outputs);
                TensorPrimitives.Add(row, layer.Bias, row);
            }

            if (l < _network.Layers.Count - 1)
            {
                var hidden = to.AsSpan(0, rows * layer.Outputs);
                TensorPrimitives.Max(hidden, 0f, hidden);
                dropout?.Apply(hidden, l);
            }

            values = to;
        }
    }

    /// <summary>Turns the scores into the mean cross-entropy's gradient by them and adds up losses.</summary>
    /// <param name="classWeights">Null for equal weights; otherwise the mean is weighted as PyTorch's.</param>
    /// <returns>Weighted sum of the losses, sum of the weights, rows predicted right.</returns>
    public (double Loss, double Weight, int Right) Loss(ReadOnlySpan<int> labels, float[]? classWeights)
    {
        var classes = _network.Outputs;
        double loss = 0,
            total = 0;
        var right = 0;
        foreach (var label in labels)
            // The mean is over the weights of the batch and not over its rows, as in PyTorch's cross_entropy.
            total += classWeights?[label] ?? 1;
        for (var i = 0; i < labels.Length; i++)
        {
            var scores = _outputs[^1].AsSpan(i * classes, classes);
            var gradient = _deltas[^1].AsSpan(i * classes, classes);
            var (label, weight) = (labels[i], classWeights?[labels[i]] ?? 1);
            var best = TensorPrimitives.IndexOfMax(scores);
            var largest = scores[best];
            right += best == label ? 1 : 0;
            // Around the largest score, so that no exponential overflows.
            TensorPrimitives.Subtract(scores, largest, gradient);
            TensorPrimitives.Exp(gradient, gradient);
            var sum = TensorPrimitives.Sum(gradient);
            loss += weight * (Math.Log(sum) + largest - scores[label]);
            TensorPrimitives.Multiply(gradient, (float)(weight / (sum * total)), gradient);
            gradient[label] -= (float)(weight / total);
        }

        return (loss, total, right);
    }

    /// <summary>Gradients of all parameters from what <see cref="Loss"/> left.</summary>
    /// <param name="kept">Factor of hidden values that dropout kept.</param>
    public void Backward(int rows, float kept, int threads)
    {
        for (var l = _network.Layers.Count - 1; l >= 0; l--)
        {
            var (layer, delta) = (_network.Layers[l], _deltas[l]);
            var from = l == 0 ? Inputs : _outputs[l - 1];
            var (weights, bias) = (_weights[l].Gradient, _biases[l].Gradient);
            Array.Clear(weights);
            // The kernel adds to what is there, piece by piece of the batch: hence the clearing.
            MatMul.AddTransposedA(delta, from, weights, rows, layer.Outputs, layer.Inputs, threads);
            Array.Clear(bias);
            for (var i = 0; i < rows; i++)
                TensorPrimitives.Add(bias, delta.AsSpan(i * layer.Outputs, layer.Outputs), bias);
            if (l == 0)
                continue;

            // delta times the weights, as a product of the transposed delta, which is small.
            var before = _deltas[l - 1].AsSpan(0, rows * layer.Inputs);
            Transpose(delta, rows, layer.Outputs);
            before.Clear();
            MatMul.AddTransposedA(_transposed, layer.Weights, before, layer.Outputs, rows, layer.Inputs, threads);
            Mask(before, _outputs[l - 1], kept);
        }
    }

    private void Transpose(float[] delta, int rows, int columns)
    {
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                _transposed[j * rows + i] = delta[i * columns + j];
        }
    }

    /// <summary>Nothing flows back through values that ReLU or dropout made zero.</summary>
    private static void Mask(Span<float> delta, ReadOnlySpan<float> outputs, float kept)
    {
        var i = 0;
        var factor = new Vector<float>(kept);
        for (; i + Vector<float>.Count <= delta.Length; i += Vector<float>.Count)
        {
            var open = Vector.GreaterThan(new Vector<float>(outputs[i..]), Vector<float>.Zero);
            Vector.ConditionalSelect(open, new Vector<float>(delta[i..]) * factor, Vector<float>.Zero).CopyTo(delta[i..]);
        }

        for (; i < delta.Length; i++)
            delta[i] = outputs[i] > 0 ? delta[i] * kept : 0;
    }
}
