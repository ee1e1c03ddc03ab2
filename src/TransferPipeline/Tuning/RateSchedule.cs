namespace TransferPipeline.Tuning;

/// <summary>The learning rate of each step.</summary>
internal sealed class RateSchedule(FinetuneOptions options, int stepsPerEpoch)
{
    /// <param name="step">From 0, over all epochs.</param>
    public double At(int step)
    {
        var (warm, total) = (options.Warmup * stepsPerEpoch, (double)options.Epochs * stepsPerEpoch);
        // The last warm-up step reaches the full rate; counting from 0 would waste the first step.
        if (step + 1 <= warm)
            return options.LearningRate * (step + 1) / warm;
        return options.LearningRate
            * options.Schedule switch
            {
                FinetuneSchedule.Cosine => 0.5 * (1 + Math.Cos(Math.PI * (step - warm) / (total - warm))),
                // Integer divisions: the number of the epoch, then how often StepLR has multiplied the rate by then.
                FinetuneSchedule.Step => Math.Pow(options.Gamma, step / stepsPerEpoch / options.StepSize),
                _ => 1,
            };
    }
}
