using TransferPipeline.Heads.Common;
using TransferPipeline.Onnx;

namespace TransferPipeline.Tests.Classifiers;

/// <summary>softmax(x W + b) with given weights: a head whose probabilities a test can work out.</summary>
internal sealed class LinearTestHead(int dimension, int classes, float[] weights, float[] bias) : IHead
{
    public string Name => "linear-test";

    public int ClassCount => classes;

    public int Dimension => dimension;

    public long ParameterCount => weights.Length + bias.Length;

    public HeadOptions Options => throw new NotSupportedException();

    public FitReport Fit { get; } = new();

    public string? NotExportable { get; init; }

    public void Score(FeatureMatrix x, ReadOnlySpan<int> rows, Span<float> scores, int threads = 1) => throw new NotSupportedException();

    public void ToProbabilities(Span<float> scores) => throw new NotSupportedException();

    public float[] Probabilities(ReadOnlySpan<float> vector)
    {
        var scores = new double[classes];
        for (var c = 0; c < classes; c++)
        {
            scores[c] = bias[c];
            for (var d = 0; d < dimension; d++)
                scores[c] += (double)vector[d] * weights[d * classes + c];
        }

        var exponentials = scores.Select(s => Math.Exp(s - scores.Max())).ToArray();
        return [.. exponentials.Select(e => (float)(e / exponentials.Sum()))];
    }

    public string Export(IGraphWriter graph, string features)
    {
        var logits = graph.Node(
            "Gemm",
            [features, graph.Constant("head_weights", weights, dimension, classes), graph.Constant("head_bias", bias, classes)]
        );
        return graph.Node("Softmax", [logits], ("axis", 1L));
    }
}
