using TransferPipeline;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace Extensions;

/// <summary>The averaged perceptron of Freund and Schapire (1999), with one weight vector per class.</summary>
public sealed record Perceptron : HeadOptions
{
    public override IHeadTrainer Trainer => new PerceptronTrainer();

    [Option("epochs", "passes over the training rows", Min = 1)]
    public int Epochs { get; init; } = 10;
}

/// <summary>Trains <see cref="Perceptron"/>.</summary>
public sealed class PerceptronTrainer() : HeadTrainer<Perceptron>(new Perceptron())
{
    public override string Name => "perceptron";

    public override string Summary => "averaged perceptron (Freund and Schapire 1999)";

    protected override IHead Fit(TrainingRows data, Perceptron options, TrainingContext context)
    {
        var x = FeatureScaling.L2.Apply(data.X, data.Rows, context.Threads);
        var (weights, average) = (new double[data.ClassCount * x.Columns], new double[data.ClassCount * x.Columns]);
        for (var step = 0; step < options.Epochs * x.Rows; step++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var (row, label) = (step % x.Rows, data.Y[data.Rows[step % x.Rows]]);
            var best = Enumerable.Range(0, data.ClassCount).MaxBy(k => Product(weights, k, x.Row(row)));
            if (best == label)
                continue;

            // The average over all steps holds this update from here to the last step.
            var share = 1 - (double)step / (options.Epochs * x.Rows);
            for (var d = 0; d < x.Columns; d++)
            {
                var value = x.Row(row)[d];
                weights[label * x.Columns + d] += value;
                weights[best * x.Columns + d] -= value;
                average[label * x.Columns + d] += share * value;
                average[best * x.Columns + d] -= share * value;
            }
        }

        var report = new FitReport { Iterations = options.Epochs };
        return LinearHead.Create(Name, average, new double[data.ClassCount], FeatureScaling.L2, LinearLink.Softmax, options, report);
    }

    private static double Product(double[] weights, int k, ReadOnlySpan<float> row)
    {
        var sum = 0.0;
        for (var d = 0; d < row.Length; d++)
            sum += weights[k * row.Length + d] * row[d];
        return sum;
    }
}
