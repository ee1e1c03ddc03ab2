using TransferPipeline.Onnx;

namespace TransferPipeline.Tuning;

/// <summary>What is trained: an ONNX graph from the cut's tensors to the feature, and a linear head on it.</summary>
internal sealed record TunedGraph
{
    /// <summary>
    /// The graph; its inputs are the cut's tensors with the batch on their first axis, whatever size the batch has. Large weights may be
    /// external data with full paths.
    /// </summary>
    public required ModelProto Model { get; init; }

    /// <summary>The cut's tensors in the order of <see cref="TunedBatch.Inputs"/>.</summary>
    public required IReadOnlyList<TunedInput> Inputs { get; init; }

    public required TunedHead Head { get; init; }

    /// <summary>A second classifier that branches off earlier (Inception's), trained with the first; null for none.</summary>
    public TunedHead? Auxiliary { get; init; }

    /// <summary>Weight of the auxiliary classifier's loss.</summary>
    // 0.4 as in PyTorch's fine-tuning tutorial for Inception v3.
    public double AuxiliaryLossWeight { get; init; } = 0.4;
}

/// <param name="Name">Tensor that the graph takes.</param>
/// <param name="Shape">Its shape for one photo, without the batch axis.</param>
internal sealed record TunedInput(string Name, IReadOnlyList<int> Shape)
{
    /// <summary>Values per photo.</summary>
    public int Values => Shape.Aggregate(1, (product, d) => checked(product * d));
}

/// <summary>A linear classifier on a tensor of the graph, as training starts with it.</summary>
/// <param name="Feature">Tensor of the graph with N x D values, pooling included.</param>
/// <param name="Dimension">D.</param>
/// <param name="Weights">C x D, row by row.</param>
/// <param name="Bias">C.</param>
internal sealed record TunedHead(string Feature, int Dimension, float[] Weights, float[] Bias)
{
    public int Classes => Bias.Length;
}
