using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;

namespace TransferPipeline.MicrosoftML;

/// <summary>
/// Multinomial heads of ML.NET; the model's weights become a linear head with softmax, which is what ML.NET computes from them.
/// </summary>
/// <param name="fit">Trains on columns Features and Label.</param>
internal sealed class MaximumEntropyTrainer<TOptions>(
    string name,
    string summary,
    TOptions defaults,
    Func<MLContext, TOptions, IDataView, MaximumEntropyModelParameters> fit
) : HeadTrainer<TOptions>(defaults)
    where TOptions : HeadOptions, IScaledHead
{
    public override string Name => name;

    public override string Summary => summary;

    protected override IHead Fit(TrainingRows data, TOptions options, TrainingContext context)
    {
        TrainingCheck.Counts(data, context);
        var scaling = FeatureScaling.Fit(options.Scaling, data.X, data.Rows, context.Threads);
        var model = fit(new MLContext(context.Seed), options, RowView.Classes(data, scaling, context.Cancellation));
        VBuffer<float>[]? rows = null;
        model.GetWeights(ref rows, out _);
        var (weights, bias) = (new double[data.ClassCount * data.X.Columns], model.GetBiases().Select(b => (double)b).ToArray());
        for (var k = 0; k < data.ClassCount; k++)
        {
            // The buffer may be sparse, so its items are read with their columns; weights left out are 0.
            foreach (var (column, weight) in rows[k].Items())
                weights[k * data.X.Columns + column] = weight;
        }

        return LinearHead.Create(Name, weights, bias, scaling, LinearLink.Softmax, options, new FitReport());
    }
}
