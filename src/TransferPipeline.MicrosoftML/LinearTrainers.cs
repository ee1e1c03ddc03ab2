using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Trainers;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.MicrosoftML;

/// <summary>
/// ML.NET's linear trainers with their options by ML.NET's names; one thread each, for the same seed must give the same weights.
/// </summary>
internal static class LinearTrainers
{
    /// <summary>The seed of a class's own generator.</summary>
    // Seeds of one run differ from those of the next as long as there are no more than 10,007 classes.
    public static int ClassSeed(int seed, int k) => unchecked(seed * 10_007 + k);

    public static MaximumEntropyModelParameters SdcaMaximumEntropy(MLContext ml, MlNetSdcaMaximumEntropy from, IDataView rows)
    {
        var options = new SdcaMaximumEntropyMulticlassTrainer.Options();
        Set(options, from);
        return ml.MulticlassClassification.Trainers.SdcaMaximumEntropy(options).Fit(rows).Model;
    }

    public static MaximumEntropyModelParameters LbfgsMaximumEntropy(MLContext ml, MlNetLbfgsMaximumEntropy from, IDataView rows) =>
        ml
            .MulticlassClassification.Trainers.LbfgsMaximumEntropy(
                new LbfgsMaximumEntropyMulticlassTrainer.Options
                {
                    L1Regularization = (float)from.L1Regularization,
                    L2Regularization = (float)from.L2Regularization,
                    OptimizationTolerance = (float)from.OptimizationTolerance,
                    HistorySize = from.HistorySize,
                    MaximumNumberOfIterations = from.MaximumNumberOfIterations,
                    NumberOfThreads = 1,
                }
            )
            .Fit(rows)
            .Model;

    public static CalibratedLine SdcaLogisticRegression(MLContext ml, MlNetSdcaLogisticRegression from, IDataView rows)
    {
        var options = new SdcaLogisticRegressionBinaryTrainer.Options();
        Set(options, from);
        var model = ml.BinaryClassification.Trainers.SdcaLogisticRegression(options).Fit(rows).Model;
        // The calibrator is part of the model here: no Platt sigmoid has to be fitted.
        return new(model.SubModel, model.Calibrator.Slope, model.Calibrator.Offset);
    }

    public static CalibratedLine LinearSvm(MLContext ml, MlNetLinearSvm from, IDataView rows)
    {
        var scorer = ml
            .BinaryClassification.Trainers.LinearSvm(
                new Microsoft.ML.Trainers.LinearSvmTrainer.Options
                {
                    Lambda = (float)from.Lambda,
                    NumberOfIterations = from.NumberOfIterations,
                    BatchSize = from.BatchSize,
                    PerformProjection = from.PerformProjection,
                }
            )
            .Fit(rows);
        return Calibrate(ml, scorer.Model, scorer.Transform(rows));
    }

    public static CalibratedLine AveragedPerceptron(MLContext ml, MlNetAveragedPerceptron from, IDataView rows)
    {
        var scorer = ml
            .BinaryClassification.Trainers.AveragedPerceptron(
                new AveragedPerceptronTrainer.Options
                {
                    LearningRate = (float)from.LearningRate,
                    DecreaseLearningRate = from.DecreaseLearningRate,
                    L2Regularization = (float)from.L2Regularization,
                    NumberOfIterations = from.NumberOfIterations,
                }
            )
            .Fit(rows);
        return Calibrate(ml, scorer.Model, scorer.Transform(rows));
    }

    /// <summary>
    /// Platt's sigmoid on the scores of the training rows, as OneVersusAll fits it for models that give no probabilities.
    /// </summary>
    public static PlattCalibrator Platt(MLContext ml, IDataView scored) =>
        ((IPredictionTransformer<PlattCalibrator>)ml.BinaryClassification.Calibrators.Platt().Fit(scored)).Model;

    private static CalibratedLine Calibrate(MLContext ml, LinearBinaryModelParameters line, IDataView scored)
    {
        var platt = Platt(ml, scored);
        return new(line, platt.Slope, platt.Offset);
    }

    private static void Set<TOptions, TTransformer, TModel>(
        SdcaTrainerBase<TOptions, TTransformer, TModel>.OptionsBase options,
        MlNetSdca from
    )
        where TOptions : SdcaTrainerBase<TOptions, TTransformer, TModel>.OptionsBase, new()
        where TTransformer : ISingleFeaturePredictionTransformer<TModel>
        where TModel : class
    {
        options.L2Regularization = (float)from.L2Regularization;
        options.L1Regularization = (float)from.L1Regularization;
        options.ConvergenceTolerance = (float)from.ConvergenceTolerance;
        options.MaximumNumberOfIterations = from.MaximumNumberOfIterations;
        // SDCA's threads would update the weights in an order that differs from run to run.
        options.NumberOfThreads = 1;
    }
}
