using TransferPipeline.Tuning;

namespace TransferPipeline.Tests.Tuning;

/// <summary>Learning rates, against values computed by hand and by torch.optim.lr_scheduler.StepLR.</summary>
public sealed class RateScheduleTests
{
    [Fact]
    public void Cosine_GoesFromTheFullRateToZero()
    {
        var rates = new RateSchedule(new() { LearningRate = 0.2, Epochs = 2 }, 4);
        Assert.Equal(0.2, rates.At(0), 12);
        Assert.Equal(0.1, rates.At(4), 12);
        Assert.Equal(0.1 * (1 + Math.Cos(Math.PI * 7 / 8)), rates.At(7), 12);
    }

    /// <summary>StepLR(optimizer, 7, 0.1) of 0.001 has these rates in epochs 0, 6, 7, 13, 14 and 24.</summary>
    [Theory]
    [InlineData(0, 1e-3)]
    [InlineData(6, 1e-3)]
    [InlineData(7, 1e-4)]
    [InlineData(13, 1e-4)]
    [InlineData(14, 1e-5)]
    [InlineData(24, 1e-6)]
    public void Tutorial_IsStepLr(int epoch, double expected)
    {
        var options = FinetuneOptions.Of(FinetunePreset.Tutorial);
        var rates = new RateSchedule(options, 61);
        Assert.Equal(expected, rates.At(epoch * 61), 12);
        Assert.Equal(expected, rates.At(epoch * 61 + 60), 12);
        Assert.Equal(
            (25, 4, 0.9, FinetuneStart.Random, "all", 0.08),
            (options.Epochs, options.Batch, options.Momentum, options.Start, options.Cut, options.CropScale)
        );
    }

    [Fact]
    public void Warmup_GrowsToTheFullRateAndThenFollowsTheSchedule()
    {
        var rates = new RateSchedule(
            new()
            {
                LearningRate = 1,
                Epochs = 3,
                Warmup = 0.5,
                Schedule = FinetuneSchedule.Constant,
            },
            4
        );
        Assert.Equal([0.5, 1, 1], new[] { rates.At(0), rates.At(1), rates.At(2) });
        Assert.Throws<UsageException>(() => new FinetuneOptions { Epochs = 2, Warmup = 2 }.Check());
    }
}
