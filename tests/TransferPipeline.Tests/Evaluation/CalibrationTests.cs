using TransferPipeline.Evaluation;
using TransferPipeline.Heads;

namespace TransferPipeline.Tests.Evaluation;

public sealed class CalibrationTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Fit_AllRightOrAllWrong_StaysAtTheEndOfItsRange(bool right)
    {
        // No temperature is best: the colder (hotter), the better.
        float[] probabilities = [0.9f, 0.1f, 0, 0.2f, 0.5f, 0.3f];
        var p = new Predictions(3, [0, 1], right ? [0, 1] : [2, 0], [0, 1], probabilities);
        var scaling = TemperatureScaling.Fit(p);
        Assert.Equal(right ? 1e-3 : 1e3, scaling.Temperature, right ? 1e-6 : 1);
        var scaled = scaling.Apply(p);
        for (var i = 0; i < 2; i++)
            Assert.Equal(1, scaled.Row(i).ToArray().Sum(), 5);
        Assert.True(Metrics.LogLoss(scaled) < Metrics.LogLoss(p));
        Assert.Equal(right ? 0 : 1.0 / 3, Metrics.CalibrationError(Metrics.Calibration(scaled)), 2);
    }

    /// <summary>Where the loss is too small for a number before the end of the range, the temperature still runs there.</summary>
    [Theory]
    [InlineData(0.999f, 0.001f, 1e-3)]
    [InlineData(0.5f, 0.5f, 1e3)]
    public void Fit_ALossThatIsFlat_RunsToTheEndThatItFallsTowards(float right, float wrong, double temperature)
    {
        var scaling = TemperatureScaling.Fit(new Predictions(2, [0], [0], [0], [right, wrong]));
        Assert.Equal(temperature, scaling.Temperature, temperature / 1000);
        Assert.NotNull(scaling.EndOfRange);
    }

    [Theory]
    [InlineData(0.25)]
    [InlineData(1)]
    [InlineData(4)]
    public void Fit_ProbabilitiesMadeTooSharpOrTooFlat_FindsTheTemperature(double temperature)
    {
        // Labels drawn from the probabilities themselves, which are then distorted.
        const int Count = 6000,
            Classes = 4;
        var probabilities = new float[Count * Classes];
        var truth = new int[Count];
        for (var i = 0; i < Count; i++)
        {
            var random = RandomStream.OfDraws(11, (ulong)i);
            var exponentials = Enumerable.Range(0, Classes).Select(k => Math.Exp(1.5 * random.NormalAt((ulong)k))).ToArray();
            var target = random.UnitAt(100) * exponentials.Sum();
            for (var (k, sum) = (0, 0.0); k < Classes; k++)
            {
                sum += exponentials[k];
                if (sum >= target)
                {
                    truth[i] = k;
                    break;
                }
            }

            for (var k = 0; k < Classes; k++)
                probabilities[(i * Classes) + k] = (float)(exponentials[k] / exponentials.Sum());
        }

        var honest = new Predictions(Classes, [.. Enumerable.Range(0, Count)], truth, new int[Count], probabilities);
        var distorted = new TemperatureScaling(1 / temperature, 1e-9).Apply(honest);
        Assert.Equal(temperature, TemperatureScaling.Fit(distorted).Temperature, temperature * 0.06);
        Assert.All(
            new TemperatureScaling(temperature, 1e-9).Apply(distorted).Probabilities.Zip(probabilities),
            p => Assert.Equal(p.Second, p.First, 1e-5f)
        );
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void Run_OverconfidentHead_IsBetterCalibratedAfterScaling(int folds)
    {
        var set = Synthetic.Set(separation: 0.5, perSplit: [("train", 60), ("validation", 60)]);
        var head = Comparer.Run(new() { Calibrate = true, Folds = folds }, [set], ComparerTests.Heads("centroid:heat=0.2")).Result.Heads[0];
        Assert.True(head.Temperature > 2, $"temperature {head.Temperature}");
        Assert.True(
            head.CalibrationErrorScaled < head.CalibrationError / 2,
            $"{head.CalibrationErrorScaled} after, {head.CalibrationError} before"
        );
        Assert.True(head.LogLossScaled < head.LogLoss);
        Assert.NotEmpty(head.CalibrationScaled);
    }

    /// <summary>
    /// The head that is evaluated keeps the epoch that was best on validation; heads that trained to the end would give another
    /// temperature.
    /// </summary>
    [Fact]
    public void Run_HeadThatKeepsItsBestEpoch_IsScaledByHeadsThatKeepTheirs()
    {
        var set = Synthetic.Set(separation: 0.5, columns: 40, perSplit: [("train", 20), ("validation", 40), ("test", 200)]);
        HeadResult Run(string options) =>
            Comparer
                .Run(
                    new() { Calibrate = true, ScoreSplit = "test" },
                    [set],
                    HeadSpec.ParseList($"mlp:epochs=120,batch_size=16,{options}", [], HeadCatalog.Trainers)
                )
                .Result.Heads[0];

        var (best, last) = (Run("best_weights=true"), Run("best_weights=false"));

        Assert.True(best.Temperature < last.Temperature / 2, $"{best.Temperature} of the best epoch, {last.Temperature} of the last");
        Assert.True(best.CalibrationErrorScaled < 0.08, $"{best.CalibrationErrorScaled} after, {best.CalibrationError} before");
    }

    /// <summary>Votes of few neighbours give zeros, also to true classes; of many they are too flat.</summary>
    [Theory]
    [InlineData("knn:n_neighbors=1,metric=euclidean")]
    [InlineData("knn:n_neighbors=5,metric=euclidean")]
    [InlineData("knn:n_neighbors=15,metric=euclidean,weights=distance")]
    [InlineData("forest:n_estimators=30")]
    public void Run_HeadsThatVote_AreBetterCalibratedAfterScaling(string heads)
    {
        var set = Synthetic.Set(classes: 4, separation: 0.9, perSplit: [("train", 100), ("validation", 150)]);

        var head = Comparer.Run(new() { Calibrate = true }, [set], HeadSpec.ParseList(heads, [], HeadCatalog.Trainers)).Result.Heads[0];

        Assert.True(
            head.CalibrationErrorScaled < 0.8 * head.CalibrationError,
            $"{head.CalibrationErrorScaled} after, {head.CalibrationError} before"
        );
        Assert.True(head.CalibrationErrorScaled < 0.08, $"{head.CalibrationErrorScaled}");
        Assert.True(head.LogLossScaled < head.LogLoss, $"{head.LogLossScaled} after, {head.LogLoss} before");
        Assert.Equal(
            heads.Contains("=1,", StringComparison.Ordinal) ? 0.5
                : heads.Contains("=5,", StringComparison.Ordinal) ? 0.1
                : head.TemperatureZero,
            head.TemperatureZero,
            1e-6
        );
    }

    [Fact]
    public void Run_FewShot_RisesAndIsTheSameWhateverTheThreads()
    {
        var set = Synthetic.Set(separation: 0.8, columns: 16);
        FewShotCurve Curve(int threads) =>
            Comparer
                .Run(
                    new()
                    {
                        FewShotPerClass = [16, 1, 4],
                        FewShotDraws = 10,
                        Threads = threads,
                    },
                    [set],
                    ComparerTests.Heads("centroid")
                )
                .Result.FewShot.Single();
        var curve = Curve(1);
        Assert.Equal([1, 4, 16], curve.PerClass);
        Assert.True(curve.Accuracy[0].Value < curve.Accuracy[1].Value && curve.Accuracy[1].Value < curve.Accuracy[2].Value);
        Assert.True(curve.Accuracy[0].Low < curve.Accuracy[0].Value && curve.Accuracy[0].High > curve.Accuracy[0].Value);
        Assert.Equal(curve.Accuracy, Curve(2).Accuracy);
    }

    [Fact]
    public void Run_FewShotWithFolds_UsesTheValuesChosenWithoutTheJudgedPhotos()
    {
        // The first draw belongs to the first fold, so it must be that of a split into what this fold trains on and evaluates.
        var otherwise = 0;
        for (var seed = 1; seed <= 8; seed++)
        {
            var set = Synthetic.Set(separation: 0.4, seed: seed, perSplit: [("train", 20)]);
            var part = Folds.Parts([.. Enumerable.Range(0, 60)], Folds.Stratified(set.Data.Y, 4, 0), 4)[0];
            var split = Synthetic.With(set, (r, i) => r with { Split = part.Test.Contains(i) ? "validation" : "train" });
            Comparison Run(FeatureSource source, int folds) =>
                Comparer
                    .Run(
                        new()
                        {
                            Folds = folds,
                            FewShotPerClass = [4, 8],
                            FewShotDraws = 1,
                        },
                        [source],
                        ComparerTests.Heads("centroid:values=[1,2,4,8]")
                    )
                    .Result;

            var (folds, alone) = (Run(set, 4), Run(split, 0));

            Assert.Equal(alone.FewShot.Single().Accuracy.Select(a => a.Value), folds.FewShot.Single().Accuracy.Select(a => a.Value));
            otherwise += folds.Sweeps.Single().Chosen != alone.Sweeps.Single().Chosen ? 1 : 0;
        }

        // Else the values chosen on all photos would pass too.
        Assert.InRange(otherwise, 1, 8);
    }

    [Fact]
    public void Run_FewShotWithTooFewPhotosForAHead_LeavesThatPointOutAndWarns()
    {
        // The covariance of one photo per class is nothing.
        var result = Comparer
            .Run(
                new() { FewShotPerClass = [1, 20] },
                [Synthetic.Set(separation: 1)],
                HeadSpec.ParseList("lda,nearest-mean", [], HeadCatalog.Trainers)
            )
            .Result;

        Assert.True(double.IsNaN(result.FewShot[0].Accuracy[0].Value));
        Assert.InRange(result.FewShot[0].Accuracy[1].Value, 0.5, 1);
        Assert.All(result.FewShot[1].Accuracy, a => Assert.InRange(a.Value, 0.3, 1));
        Assert.Equal(
            "lda: no point of the few-shot curve at 1 per class: lda: every class has one training row only, so there is no covariance "
                + "to estimate; take nearest-mean, or add rows",
            Assert.Single(result.Warnings)
        );
    }

    [Fact]
    public void Measure_SlightlyChangedVectors_AgreeMostly()
    {
        var a = Synthetic.Set(separation: 1);
        var changed = a.Data.X.Select([.. Enumerable.Range(0, a.Data.X.Rows)]);
        for (var i = 0; i < changed.Data.Length; i++)
            changed.Data[i] *= 1 + (1e-4f * (i % 3));
        var b = Synthetic.Source(changed, a.Data.Y, [.. a.Data.Rows.Select(r => r.Split)], 3, "b");
        var same = HeadAgreement.Measure(a, a, ComparerTests.Heads("centroid")[0]);
        var near = HeadAgreement.Measure(a, b, ComparerTests.Heads("centroid")[0], threads: 2);

        Assert.Equal((60, 1.0, 0.0), (same.Photos, same.Agreement, same.LargestProbabilityDifference));
        Assert.InRange(near.Agreement, 0.98, 1);
        Assert.InRange(near.LargestProbabilityDifference, 1e-7, 0.05);
        Assert.Contains(
            "differ in dimension: 8 and 2",
            Assert
                .Throws<BadInputException>(() => HeadAgreement.Measure(a, Synthetic.Set(columns: 2), ComparerTests.Heads("centroid")[0]))
                .Message
        );
    }
}
