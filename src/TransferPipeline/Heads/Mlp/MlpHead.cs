using System.Numerics.Tensors;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;
using TransferPipeline.Heads.Numerics;
using TransferPipeline.Onnx;

namespace TransferPipeline.Heads;

/// <summary>A trained network; scores are its last layer's outputs, probabilities their softmax.</summary>
internal sealed class MlpHead : IHead
{
    private const int RowBlock = 128;

    private readonly bool _divideByLength;
    private readonly IReadOnlyList<DenseLayer> _layers;

    public MlpHead(DenseNetwork network, FeatureScaling scaling, HeadOptions options, FitReport fit)
    {
        (ClassCount, Dimension, ParameterCount) = (network.Outputs, network.Inputs, network.ParameterCount);
        (Options, Fit, _divideByLength) = (options, fit, scaling.Kind == ScalingKind.L2);
        // A standard scaling is linear and goes into the first layer; a division by the length is not, and stays.
        _layers = scaling.Kind == ScalingKind.Standard ? [Fold(network.Layers[0], scaling), .. network.Layers.Skip(1)] : network.Layers;
    }

    /// <summary>The trainer's: networks of other trainers end as this head too.</summary>
    public string Name => Options.Trainer.Name;

    public int ClassCount { get; }

    public int Dimension { get; }

    public long ParameterCount { get; }

    public HeadOptions Options { get; }

    public FitReport Fit { get; }

    public string? NotExportable => null;

    public void Score(FeatureMatrix x, ReadOnlySpan<int> rows, Span<float> scores, int threads = 1)
    {
        if (x.Columns != Dimension)
            Throw.Usage($"{Name} was trained on vectors of length {Dimension}, these have {x.Columns}");
        var (queries, results) = (rows.ToArray(), new float[rows.Length * ClassCount]);
        Blocks.For(
            queries.Length,
            RowBlock,
            threads,
            (_, start, end) =>
            {
                var values = new float[(end - start) * Dimension];
                for (var i = start; i < end; i++)
                {
                    var from = x.Row(queries[i]);
                    var to = values.AsSpan((i - start) * Dimension, Dimension);
                    if (_divideByLength)
                        FeatureScaling.L2.Apply(from, to);
                    else
                        from.CopyTo(to);
                }

                for (var l = 0; l < _layers.Count; l++)
                    values = Forward(_layers[l], values, end - start, l < _layers.Count - 1);
                values.CopyTo(results, start * ClassCount);
            }
        );
        results.CopyTo(scores);
    }

    public void ToProbabilities(Span<float> scores) => SoftmaxRows.Run(scores, ClassCount);

    public string Export(IGraphWriter graph, string features)
    {
        if (_divideByLength)
            features = ScalingExport.Write(graph, features, FeatureScaling.L2);
        for (var l = 0; l < _layers.Count; l++)
        {
            var layer = _layers[l];
            var weights = graph.Constant("mlp.weight", layer.Weights, layer.Outputs, layer.Inputs);
            features = graph.Node("Gemm", [features, weights, graph.Constant("mlp.bias", layer.Bias, layer.Outputs)], ("transB", 1L));
            if (l < _layers.Count - 1)
                features = graph.Node("Relu", [features]);
        }

        return graph.Node("Softmax", [features], ("axis", 1L));
    }

    private static float[] Forward(DenseLayer layer, float[] values, int rows, bool hidden)
    {
        var outputs = new float[rows * layer.Outputs];
        MatMul.TransposedB(values, layer.Weights, outputs, rows, layer.Outputs, layer.Inputs);
        for (var i = 0; i < rows; i++)
        {
            var row = outputs.AsSpan(i * layer.Outputs, layer.Outputs);
            TensorPrimitives.Add(row, layer.Bias, row);
        }

        if (hidden)
            TensorPrimitives.Max(outputs, 0f, outputs);
        return outputs;
    }

    /// <summary>The layer that does on vectors what the given one does on standardized vectors.</summary>
    private static DenseLayer Fold(DenseLayer layer, FeatureScaling scaling)
    {
        var weights = new float[layer.Weights.Length];
        var bias = new float[layer.Outputs];
        for (var k = 0; k < layer.Outputs; k++)
        {
            // In float64, rounded once: the products with the means may cancel.
            double sum = layer.Bias[k];
            for (var d = 0; d < layer.Inputs; d++)
            {
                var weight = (double)layer.Weights[k * layer.Inputs + d] / scaling.Scale[d];
                weights[k * layer.Inputs + d] = (float)weight;
                sum -= weight * scaling.Mean[d];
            }

            bias[k] = (float)sum;
        }

        return new(layer.Inputs, layer.Outputs, weights, bias);
    }
}
