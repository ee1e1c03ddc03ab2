using TransferPipeline.Heads.Common;

namespace TransferPipeline.MicrosoftML;

/// <summary>Options of ML.NET's trainers by L-BFGS, with ML.NET's names.</summary>
public sealed record MlNetLbfgsMaximumEntropy : HeadOptions, IScaledHead
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => MicrosoftMLHeads.LbfgsMaximumEntropy;

    /// <summary>L1 penalty.</summary>
    [Option("L1Regularization", "L1 penalty", Min = 0)]
    public double L1Regularization { get; init; }

    /// <summary>L2 penalty on the weights; 1 / C for the sum of losses.</summary>
    [Option("L2Regularization", "L2 penalty on the weights; 1 / C for the sum of losses", Min = 0)]
    public double L2Regularization { get; init; } = 1;

    /// <summary>Change of the objective at which it ends.</summary>
    [Option("OptimizationTolerance", "change of the objective at which it ends", Min = 0, ExclusiveMin = true)]
    public double OptimizationTolerance { get; init; } = 0.0001;

    /// <summary>Past steps that L-BFGS keeps.</summary>
    [Option("HistorySize", "past steps that L-BFGS keeps", Min = 1)]
    public int HistorySize { get; init; } = 20;

    /// <summary>Most steps.</summary>
    [Option("MaximumNumberOfIterations", "most steps", Min = 1)]
    public int MaximumNumberOfIterations { get; init; } = 500;

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }
}

/// <summary>Options of ML.NET's LinearSvm, with ML.NET's names.</summary>
public sealed record MlNetLinearSvm : HeadOptions, IScaledHead
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => MicrosoftMLHeads.LinearSvm;

    /// <summary>L2 penalty on the weights, for the mean loss.</summary>
    [Option("Lambda", "L2 penalty on the weights, for the mean loss", Min = 0, ExclusiveMin = true)]
    public double Lambda { get; init; } = 0.0001;

    /// <summary>Passes over the rows.</summary>
    [Option("NumberOfIterations", "passes over the rows", Min = 1)]
    public int NumberOfIterations { get; init; } = 100;

    /// <summary>Rows per step.</summary>
    [Option("BatchSize", "rows per step", Min = 1)]
    public int BatchSize { get; init; } = 1;

    /// <summary>Whether the weights are kept within the ball of radius 1 / sqrt(Lambda).</summary>
    [Option("PerformProjection", "keep the weights within the ball of radius 1 / sqrt(Lambda)")]
    public bool PerformProjection { get; init; }

    /// <inheritdoc/>
    // Pegasos needs vectors of one length: on raw ones it ends 2 points of accuracy lower.
    public ScalingKind Scaling { get; init; } = ScalingKind.L2;
}

/// <summary>Options of ML.NET's AveragedPerceptron, with ML.NET's names.</summary>
public sealed record MlNetAveragedPerceptron : HeadOptions, IScaledHead
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => MicrosoftMLHeads.AveragedPerceptron;

    /// <summary>Length of a step.</summary>
    [Option("LearningRate", "length of a step", Min = 0, ExclusiveMin = true)]
    public double LearningRate { get; init; } = 1;

    /// <summary>Whether steps become shorter as the passes go on.</summary>
    [Option("DecreaseLearningRate", "shorten the steps as the passes go on")]
    public bool DecreaseLearningRate { get; init; }

    /// <summary>L2 penalty on the weights.</summary>
    [Option("L2Regularization", "L2 penalty on the weights", Min = 0)]
    public double L2Regularization { get; init; }

    /// <summary>Passes over the rows.</summary>
    [Option("NumberOfIterations", "passes over the rows", Min = 1)]
    public int NumberOfIterations { get; init; } = 10;

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }
}

/// <summary>Options of ML.NET's trainers by dual coordinate ascent, with ML.NET's names.</summary>
public abstract record MlNetSdca : HeadOptions, IScaledHead
{
    /// <summary>L2 penalty on the weights, for the mean loss: 1 / (C rows).</summary>
    [Option("L2Regularization", "L2 penalty on the weights, for the mean loss: 1 / (C rows)", Min = 0, ExclusiveMin = true)]
    public double L2Regularization { get; init; } = 0.0003;

    /// <summary>L1 penalty.</summary>
    [Option("L1Regularization", "L1 penalty", Min = 0)]
    public double L1Regularization { get; init; }

    /// <summary>Relative duality gap at which it ends.</summary>
    [Option("ConvergenceTolerance", "relative duality gap at which it ends", Min = 0, ExclusiveMin = true)]
    public double ConvergenceTolerance { get; init; } = 0.01;

    /// <summary>Most passes over the rows.</summary>
    [Option("MaximumNumberOfIterations", "most passes over the rows", Min = 1)]
    public int MaximumNumberOfIterations { get; init; } = 50;

    /// <inheritdoc/>
    public ScalingKind Scaling { get; init; }
}

/// <summary>Multinomial logistic regression by ML.NET's SdcaMaximumEntropy.</summary>
public sealed record MlNetSdcaMaximumEntropy : MlNetSdca
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => MicrosoftMLHeads.SdcaMaximumEntropy;
}

/// <summary>Logistic regression by ML.NET's SdcaLogisticRegression, one class against all.</summary>
public sealed record MlNetSdcaLogisticRegression : MlNetSdca
{
    /// <inheritdoc/>
    public override IHeadTrainer Trainer => MicrosoftMLHeads.SdcaLogisticRegression;
}
