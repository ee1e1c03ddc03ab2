using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Heads;

public sealed class RidgeLeaveOneOutTests
{
    [Theory]
    [InlineData(60, 9, 3, "true")]
    [InlineData(70, 5, 2, "true")]
    [InlineData(30, 50, 3, "true")]
    [InlineData(26, 40, 2, "false")]
    [InlineData(50, 8, 4, "false")]
    public void Run_EveryRow_IsWhatTrainingWithoutItGives(int count, int columns, int classes, string intercept)
    {
        var (x, y) = Mixture.Create(count, columns, classes, 21, spread: 2);
        var trainer = HeadCatalog.Find("ridge");
        var settings = new Ridge { FitIntercept = bool.Parse(intercept) };
        double[] alphas = [0.5, 30];
        var results = RidgeLeaveOneOut.Run(Mixture.Training(x, y, count), settings, alphas, new TrainingContext { Threads = 2 });
        for (var a = 0; a < alphas.Length; a++)
        {
            var (right, errors) = (0, 0.0);
            for (var left = 0; left < count; left++)
            {
                int[] others = [.. Enumerable.Range(0, count).Where(i => i != left)];
                var head = trainer.Train(new(x, y, others, classes), settings.With("alpha", alphas[a]), new TrainingContext());
                var scores = HeadChecks.Scores(head, x, [left]);
                right += HeadChecks.Predictions(scores, classes)[0] == y[left] ? 1 : 0;
                for (var k = classes == 2 ? 1 : 0; k < classes; k++)
                    errors += Math.Pow((y[left] == k ? 1 : -1) - scores[k], 2);
            }

            Assert.Equal(alphas[a], results[a].Alpha);
            Assert.Equal((double)right / count, results[a].Accuracy, 1e-12);
            Assert.Equal(errors / (count * (classes == 2 ? 1 : classes)), results[a].MeanSquaredError, 1e-4);
        }
    }

    [Fact]
    public void Run_OneAndTwoThreads_AreIdentical()
    {
        var (x, y) = Mixture.Create(300, 70, 5, 2, spread: 3);
        var settings = new Ridge();
        var data = Mixture.Training(x, y, 300);
        Assert.Equal(
            RidgeLeaveOneOut.Run(data, settings, [0.1, 10], new TrainingContext { Threads = 1 }),
            RidgeLeaveOneOut.Run(data, settings, [0.1, 10], new TrainingContext { Threads = 2 })
        );
    }
}
