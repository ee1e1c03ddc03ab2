using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.MicrosoftML;

/// <summary>Multinomial heads of ML.NET; the model's weights become a linear head with softmax, which is what ML.NET computes from them.</summary>
/// <param name="fit">Trains on columns Features and Label.</param>
internal sealed class MaximumEntropyTrainer(
    string name, string summary, IReadOnlyList<HeadOption> options, Func<MLContext, HeadSettings, IDataView, MaximumEntropyModelParameters> fit) : IHeadTrainer
{
    public string Name => name;

    public string Summary => summary;

    public string? Unavailable => null;

    public IReadOnlyList<HeadOption> Options => options;

    public IHead Train(TrainingRows data, HeadSettings settings, TrainingContext context)
    {
        TrainingCheck.Counts(data, context);
        var scaling = FeatureScaling.Fit(FeatureScaling.Parse(settings.Text("scaling")), data.X, data.Rows, context.Threads);
        var model = fit(new MLContext(context.Seed), settings, RowView.Classes(data, scaling, context.Cancellation));
        VBuffer<float>[]? rows = null;
        model.GetWeights(ref rows, out _);
        var (weights, bias) = (new double[data.ClassCount * data.X.Columns], model.GetBiases().Select(b => (double)b).ToArray());
        for (var k = 0; k < data.ClassCount; k++)
        {
            foreach (var (column, weight) in rows[k].Items())
                weights[k * data.X.Columns + column] = weight;
        }

        return LinearHead.Create(Name, weights, bias, scaling, LinearLink.Softmax, settings, new FitReport());
    }
}
