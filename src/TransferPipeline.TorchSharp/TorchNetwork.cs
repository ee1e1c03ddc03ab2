using TorchSharp;
using TransferPipeline.Heads.Networks;
using static TorchSharp.torch;
using Linear = TorchSharp.Modules.Linear;
using Parameter = TorchSharp.Modules.Parameter;

namespace TransferPipeline.TorchSharp;

/// <summary>torch.nn.Linear layers with ReLU and dropout between them.</summary>
internal sealed class TorchNetwork : IDisposable
{
    private readonly Linear[] _layers;
    private readonly double _dropout;

    public TorchNetwork(DenseNetwork start, double dropout, Device device)
    {
        _dropout = dropout;
        _layers =
        [
            .. start.Layers.Select(layer =>
            {
                var linear = nn.Linear(layer.Inputs, layer.Outputs);
                // libtorch refuses to overwrite a weight in place while it records gradients.
                using var still = no_grad();
                linear.weight.copy_(tensor(layer.Weights, [layer.Outputs, layer.Inputs]));
                linear.bias!.copy_(tensor(layer.Bias));
                return (Linear)linear.to(device);
            }),
        ];
        Parameters = [.. _layers.SelectMany(layer => layer.parameters())];
    }

    public IReadOnlyList<Parameter> Parameters { get; }

    public Tensor Forward(Tensor x, bool learns)
    {
        for (var l = 0; l < _layers.Length; l++)
        {
            x = _layers[l].forward(x);
            if (l == _layers.Length - 1)
                break;
            x = nn.functional.relu(x);
            if (learns && _dropout > 0)
                x = nn.functional.dropout(x, _dropout, training: true);
        }

        return x;
    }

    // Weights and biases, as torch.optim's weight_decay takes both.
    public Tensor SquaredLength() => Parameters.Select(p => p.mul(p).sum()).Aggregate((a, b) => a.Plus(b));

    public void ClearGradients()
    {
        foreach (var parameter in Parameters)
            // Absent, not 0: backward adds to a gradient that is there.
            parameter.grad = null;
    }

    public bool IsFinite()
    {
        using var scope = NewDisposeScope();
        return Parameters.All(p => p.isfinite().all().item<bool>());
    }

    /// <summary>A copy of the weights as they are now.</summary>
    public DenseNetwork Weights()
    {
        using var scope = NewDisposeScope();
        return new([
            .. _layers.Select(layer => new DenseLayer(
                (int)layer.weight.shape[1],
                (int)layer.weight.shape[0],
                Values(layer.weight),
                Values(layer.bias!)
            )),
        ]);
    }

    public void Dispose()
    {
        foreach (var layer in _layers)
            layer.Dispose();
    }

    private static float[] Values(Tensor tensor) => tensor.detach().cpu().data<float>().ToArray();
}
