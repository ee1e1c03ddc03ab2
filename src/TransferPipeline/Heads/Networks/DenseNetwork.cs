using TransferPipeline.Heads.Numerics;

namespace TransferPipeline.Heads.Networks;

/// <summary>Linear layers with ReLU between them; one layer is a linear classifier.</summary>
internal sealed class DenseNetwork
{
    /// <summary>Streams of random numbers from it on belong to layers, those below it to epochs.</summary>
    private const long FirstLayerStream = 1L << 40;

    public DenseNetwork(IReadOnlyList<DenseLayer> layers) => Layers = layers;

    public IReadOnlyList<DenseLayer> Layers { get; }

    public int Inputs => Layers[0].Inputs;

    public int Outputs => Layers[^1].Outputs;

    public long ParameterCount => Layers.Sum(l => l.Weights.LongLength + l.Bias.LongLength);

    /// <summary>
    /// Layers of the given widths (inputs first, classes last), drawn as PyTorch's Linear does: uniform up to 1 / sqrt(inputs).
    /// </summary>
    public static DenseNetwork Create(ReadOnlySpan<int> widths, int seed)
    {
        var layers = new DenseLayer[widths.Length - 1];
        for (var l = 0; l < layers.Length; l++)
        {
            var (inputs, outputs) = (widths[l], widths[l + 1]);
            var random = RandomStream.OfPart(seed, FirstLayerStream + l);
            var bound = 1 / Math.Sqrt(inputs);
            var (weights, bias) = (new float[checked(inputs * outputs)], new float[outputs]);
            foreach (ref var weight in weights.AsSpan())
                weight = (float)((2 * random.Unit() - 1) * bound);
            foreach (ref var value in bias.AsSpan())
                value = (float)((2 * random.Unit() - 1) * bound);
            layers[l] = new(inputs, outputs, weights, bias);
        }

        return new(layers);
    }

    /// <summary>A copy with weights of its own.</summary>
    public DenseNetwork Copy() => new([.. Layers.Select(l => l with { Weights = [.. l.Weights], Bias = [.. l.Bias] })]);
}

/// <summary>One layer: outputs = inputs times the transpose of the weights, plus the bias.</summary>
/// <param name="Weights">Outputs x inputs, row-major.</param>
internal sealed record DenseLayer(int Inputs, int Outputs, float[] Weights, float[] Bias);
