using Microsoft.ML;
using Microsoft.ML.Calibrators;
using Microsoft.ML.Trainers;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.MicrosoftML;

/// <summary>ML.NET's linear trainers with their options by ML.NET's names; one thread each, for the same seed must give the same weights.</summary>
internal static class LinearTrainers
{
    private static readonly HeadOption Scaling = Scaled("none");

    public static IReadOnlyList<HeadOption> LbfgsOptions { get; } =
    [
        new("L1Regularization", HeadOptionKind.Number, "0", "L1 penalty") { Minimum = 0 },
        new("L2Regularization", HeadOptionKind.Number, "1", "L2 penalty on the weights; 1 / C for the sum of losses") { Minimum = 0 },
        new("OptimizationTolerance", HeadOptionKind.Number, "0.0001", "change of the objective at which it ends") { Minimum = 0, ExclusiveMinimum = true },
        new("HistorySize", HeadOptionKind.Integer, "20", "past steps that L-BFGS keeps") { Minimum = 1 },
        new("MaximumNumberOfIterations", HeadOptionKind.Integer, "500", "steps at most") { Minimum = 1 },
        Scaling,
    ];

    /// <summary>Pegasos needs vectors of one length: on raw ones it ends 2 points of accuracy lower.</summary>
    public static IReadOnlyList<HeadOption> SvmOptions { get; } =
    [
        new("Lambda", HeadOptionKind.Number, "0.0001", "L2 penalty on the weights, for the mean loss") { Minimum = 0, ExclusiveMinimum = true },
        new("NumberOfIterations", HeadOptionKind.Integer, "100", "passes over the rows") { Minimum = 1 },
        new("BatchSize", HeadOptionKind.Integer, "1", "rows a step") { Minimum = 1 },
        new("PerformProjection", HeadOptionKind.Flag, "false", "keep the weights within the ball of radius 1 / sqrt(Lambda)"),
        Scaled("l2"),
    ];

    public static IReadOnlyList<HeadOption> PerceptronOptions { get; } =
    [
        new("LearningRate", HeadOptionKind.Number, "1", "length of a step") { Minimum = 0, ExclusiveMinimum = true },
        new("DecreaseLearningRate", HeadOptionKind.Flag, "false", "shorten the steps as the passes go on"),
        new("L2Regularization", HeadOptionKind.Number, "0", "L2 penalty on the weights") { Minimum = 0 },
        new("NumberOfIterations", HeadOptionKind.Integer, "10", "passes over the rows") { Minimum = 1 },
        Scaling,
    ];

    /// <param name="l2">Default of the L2 penalty, for the mean loss.</param>
    public static IReadOnlyList<HeadOption> SdcaOptions(string l2) =>
    [
        new("L2Regularization", HeadOptionKind.Number, l2, "L2 penalty on the weights, for the mean loss: 1 / (C rows)") { Minimum = 0, ExclusiveMinimum = true },
        new("L1Regularization", HeadOptionKind.Number, "0", "L1 penalty") { Minimum = 0 },
        new("ConvergenceTolerance", HeadOptionKind.Number, "0.01", "relative duality gap at which it ends") { Minimum = 0, ExclusiveMinimum = true },
        new("MaximumNumberOfIterations", HeadOptionKind.Integer, "50", "passes over the rows at most") { Minimum = 1 },
        Scaling,
    ];

    public static MaximumEntropyModelParameters SdcaMaximumEntropy(MLContext ml, HeadSettings settings, IDataView rows)
    {
        var options = new SdcaMaximumEntropyMulticlassTrainer.Options();
        Set(options, settings);
        return ml.MulticlassClassification.Trainers.SdcaMaximumEntropy(options).Fit(rows).Model;
    }

    public static MaximumEntropyModelParameters LbfgsMaximumEntropy(MLContext ml, HeadSettings settings, IDataView rows) =>
        ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options
        {
            L1Regularization = (float)settings.Number("L1Regularization"),
            L2Regularization = (float)settings.Number("L2Regularization"),
            OptimizationTolerance = (float)settings.Number("OptimizationTolerance"),
            HistorySize = settings.Integer("HistorySize"),
            MaximumNumberOfIterations = settings.Integer("MaximumNumberOfIterations"),
            NumberOfThreads = 1,
        }).Fit(rows).Model;

    public static CalibratedLine SdcaLogisticRegression(MLContext ml, HeadSettings settings, IDataView rows)
    {
        var options = new SdcaLogisticRegressionBinaryTrainer.Options();
        Set(options, settings);
        var model = ml.BinaryClassification.Trainers.SdcaLogisticRegression(options).Fit(rows).Model;
        return new(model.SubModel, model.Calibrator.Slope, model.Calibrator.Offset);
    }

    public static CalibratedLine LinearSvm(MLContext ml, HeadSettings settings, IDataView rows)
    {
        var scorer = ml.BinaryClassification.Trainers.LinearSvm(new Microsoft.ML.Trainers.LinearSvmTrainer.Options
        {
            Lambda = (float)settings.Number("Lambda"),
            NumberOfIterations = settings.Integer("NumberOfIterations"),
            BatchSize = settings.Integer("BatchSize"),
            PerformProjection = settings.Flag("PerformProjection"),
        }).Fit(rows);
        return Calibrate(ml, scorer.Model, scorer.Transform(rows));
    }

    public static CalibratedLine AveragedPerceptron(MLContext ml, HeadSettings settings, IDataView rows)
    {
        var scorer = ml.BinaryClassification.Trainers.AveragedPerceptron(new AveragedPerceptronTrainer.Options
        {
            LearningRate = (float)settings.Number("LearningRate"),
            DecreaseLearningRate = settings.Flag("DecreaseLearningRate"),
            L2Regularization = (float)settings.Number("L2Regularization"),
            NumberOfIterations = settings.Integer("NumberOfIterations"),
        }).Fit(rows);
        return Calibrate(ml, scorer.Model, scorer.Transform(rows));
    }

    /// <summary>Platt's sigmoid on the scores of the training rows, as OneVersusAll fits it for models that give no probabilities.</summary>
    public static PlattCalibrator Platt(MLContext ml, IDataView scored) =>
        ((IPredictionTransformer<PlattCalibrator>)ml.BinaryClassification.Calibrators.Platt().Fit(scored)).Model;

    private static HeadOption Scaled(string word) => new("scaling", HeadOptionKind.Choice, word, "what is done to vectors first") { Choices = ["none", "standard", "l2"] };

    private static CalibratedLine Calibrate(MLContext ml, LinearBinaryModelParameters line, IDataView scored)
    {
        var platt = Platt(ml, scored);
        return new(line, platt.Slope, platt.Offset);
    }

    private static void Set<TOptions, TTransformer, TModel>(SdcaTrainerBase<TOptions, TTransformer, TModel>.OptionsBase options, HeadSettings settings)
        where TOptions : SdcaTrainerBase<TOptions, TTransformer, TModel>.OptionsBase, new()
        where TTransformer : ISingleFeaturePredictionTransformer<TModel>
        where TModel : class
    {
        options.L2Regularization = (float)settings.Number("L2Regularization");
        options.L1Regularization = (float)settings.Number("L1Regularization");
        options.ConvergenceTolerance = (float)settings.Number("ConvergenceTolerance");
        options.MaximumNumberOfIterations = settings.Integer("MaximumNumberOfIterations");
        options.NumberOfThreads = 1;
    }
}
