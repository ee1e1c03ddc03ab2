using TransferPipeline.Heads;

namespace TransferPipeline.Tests.Heads;

public sealed class RidgeTrainerTests
{
    [Theory]
    [InlineData(150, 30, "none")]
    [InlineData(150, 30, "balanced")]
    [InlineData(25, 60, "none")]
    [InlineData(25, 60, "balanced")]
    public void TrainPath_AllAlphas_AreTheHeadsOfSingleFits(int train, int columns, string classWeight)
    {
        var (x, y) = Mixture.Create(180, columns, 7, 5, 2);
        var data = Mixture.Training(x, y, train);
        var trainer = new RidgeTrainer();
        var settings = Mixture.Settings(trainer, ("class_weight", classWeight));
        int[] test = [.. Enumerable.Range(0, 180)];

        // The last alpha may overwrite what the others share, so the path does not ascend.
        var heads = trainer.TrainPath(data, settings, [10, 1000, 0.1], new() { Threads = 2 });

        foreach (var head in heads)
        {
            var single = trainer.Train(data, head.Options, new() { Threads = 1 });
            HeadChecks.AssertSameBytes(HeadChecks.Scores(single, x, test), HeadChecks.Scores(head, x, test, 2));
            Assert.Equal(single.Fit.Objective, head.Fit.Objective);
        }
    }
}
