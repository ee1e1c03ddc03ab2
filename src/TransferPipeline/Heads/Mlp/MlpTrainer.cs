using System.Globalization;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Networks;

namespace TransferPipeline.Heads;

/// <summary>Hidden layers with ReLU and dropout: scikit-learn's MLPClassifier with PyTorch's solvers and initial weights.</summary>
public sealed class MlpTrainer : IHeadTrainer
{
    private const int WidestLayer = 65_536;

    public string Name => "mlp";

    public string Summary => "hidden layers with ReLU and dropout, mean cross-entropy by Adam or SGD, in epochs (MLPClassifier, torch.nn)";

    public string? Unavailable => null;

    public IReadOnlyList<HeadOption> Options { get; } =
    [
        new("hidden_layer_sizes", HeadOptionKind.Text, "128", "widths of the hidden layers, such as 512,128"),
        new("dropout", HeadOptionKind.Number, "0", "share of hidden values set to zero in training") { Minimum = 0, Maximum = 0.99 },
        .. TrainingOptions.Declare("adam", "0.001", "128", "30", "standard"),
    ];

    public IHead Train(TrainingRows data, HeadSettings settings, TrainingContext context)
    {
        var counts = TrainingCheck.Counts(data, context);
        int[] widths = [data.X.Columns, .. HiddenSizes(Name, settings.Text("hidden_layer_sizes")), data.ClassCount];
        var options = TrainingOptions.Read(settings);
        var scaling = FeatureScaling.Fit(FeatureScaling.Parse(settings.Text("scaling")), data.X, data.Rows, context.Threads);
        var weights = ClassWeights.OfOrNull(settings, counts, data.ClassNames);
        var network = DenseNetwork.Create(widths, context.Seed);
        var order = new EpochOrder(data, settings.Text("views") == "all", context.Seed);
        var (trained, fit) = new NetworkTraining(network, data, scaling, options, weights, context) { Name = Name }.Run(order.Rows);
        return new MlpHead(trained, scaling, settings, fit);
    }

    internal static int[] HiddenSizes(string head, string text)
    {
        var sizes = Array.ConvertAll(
            text.Split(',', StringSplitOptions.TrimEntries),
            part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : 0);
        if (sizes.Any(s => s is < 1 or > WidestLayer))
            Throw.Usage($"{head}: hidden_layer_sizes is '{text}', expected widths of 1 to {WidestLayer} with commas between, such as 512,128");
        return sizes;
    }
}
