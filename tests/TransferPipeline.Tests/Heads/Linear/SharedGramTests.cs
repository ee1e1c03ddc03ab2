using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Heads.Linear;
using TransferPipeline.Tests.Evaluation;

namespace TransferPipeline.Tests.Heads.Linear;

public sealed class SharedGramTests
{
    /// <summary>More rows than values, and fewer, where the products of rows are shared.</summary>
    public static TheoryData<string, string, int> Cases =>
        new()
        {
            { "ridge", "", 24 },
            { "ridge", "fit_intercept=false", 24 },
            { "ridge", "scaling=l2", 24 },
            { "ridge", "scaling=standard", 24 },
            { "ridge", "class_weight=balanced", 24 },
            { "ridge", "", 700 },
            { "ridge", "scaling=l2;fit_intercept=false", 700 },
            { "ridge", "class_weight=balanced", 700 },
            { "lda", "", 24 },
            { "lda", "shrinkage=0.2", 24 },
        };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Train_PartOfAWhole_GivesTheHeadOfThePartAlone(string name, string options, int columns)
    {
        // A mean far from zero against the deviations: what is taken away must not take digits with it.
        var (x, y) = Mixture.Create(600, columns, 4, 5, spread: 2);
        for (var i = 0; i < x.Data.Length; i++)
            x.Data[i] += 30;
        int[] whole = [.. Enumerable.Range(0, 600).Where(i => i % 7 != 2)];
        var trainer = HeadCatalog.Find(name);
        var given = options.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(o => o.Split('=')).ToDictionary(o => o[0], o => o[1]);
        var settings = HeadOptions.Parse(trainer, given);
        var shared = new ComparisonScope();
        for (var fold = 0; fold < 5; fold++)
        {
            int[] part = [.. whole.Where((_, i) => i % 5 != fold)];
            var data = new TrainingRows(x, y, part, 4) { AllRows = whole };
            var alone = (LinearHead)trainer.Train(data with { AllRows = null }, settings, new());
            var one = (LinearHead)trainer.Train(data, settings, new() { Threads = 1, Scope = new(shared) });
            var two = (LinearHead)trainer.Train(data, settings, new() { Threads = 2, Scope = new(new()) });
            Assert.Equal(one.Weights, two.Weights);
            Assert.Equal(one.Bias, two.Bias);
            HeadChecks.AssertClose(alone.Weights, one.Weights, 2e-7f * alone.Weights.Max(Math.Abs));
            HeadChecks.AssertClose(alone.Bias, one.Bias, 2e-7f * alone.Bias.Max(Math.Abs));
        }
    }

    [Theory]
    [InlineData(24, true)]
    [InlineData(24, false)]
    [InlineData(700, true)]
    public void Gram_OfAPart_AgreesToRounding(int columns, bool centred)
    {
        var (x, y) = Mixture.Create(600, columns, 3, 8, spread: 2);
        for (var i = 0; i < x.Data.Length; i++)
            x.Data[i] += 100;
        int[] part = [.. Enumerable.Range(0, 600).Where(i => i % 10 != 4)];
        var rows = RowSet.View(x, part, y);
        var mean = centred ? ClassSums.Of(rows, 3, null, 1, CancellationToken.None).Mean() : null;
        var data = new TrainingRows(x, y, part, 3);
        var whole = data with { AllRows = [.. Enumerable.Range(0, 600)] };
        var (alone, shared) =
            columns > 600
                ? (SharedGram.ByRows(data, ScalingKind.None, rows, new()), SharedGram.ByRows(whole, ScalingKind.None, rows, new()))
                : (
                    SharedGram.ByValues(data, ScalingKind.None, rows, mean, new()),
                    SharedGram.ByValues(whole, ScalingKind.None, rows, mean, new())
                );
        var largest = alone.Max(Math.Abs);
        for (var i = 0; i < alone.Length; i++)
            Assert.InRange(shared[i] - alone[i], -1e-12 * largest, 1e-12 * largest);

        float[] equal = [1, 1, 1];
        var expected = RidgeProblem.Create(data, new Ridge(), rows, equal, new()).Solve(100, isLast: true, new()).Weights;
        var found = RidgeProblem.Create(whole, new Ridge(), rows, equal, new()).Solve(100, isLast: true, new()).Weights;
        var size = expected.Max(Math.Abs);
        for (var i = 0; i < expected.Length; i++)
            Assert.InRange(found[i] - expected[i], -1e-9 * size, 1e-9 * size);
        GC.KeepAlive(rows);
    }

    [Theory]
    [InlineData(new[] { 0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12 })]
    [InlineData(new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 })]
    public void Train_RowsThatAreNotOfTheWhole_AreTakenAsTheyAre(int[] part)
    {
        var (x, y) = Mixture.Create(40, 6, 2, 3);
        var trainer = HeadCatalog.Find("ridge");
        var data = new TrainingRows(x, y, part, 2) { AllRows = [.. Enumerable.Range(0, 14).Where(i => i != 5)] };
        var alone = (LinearHead)trainer.Train(data with { AllRows = null }, HeadOptions.Parse(trainer), new());
        Assert.Equal(alone.Weights, ((LinearHead)trainer.Train(data, HeadOptions.Parse(trainer), new())).Weights);
    }

    [Fact]
    public void Train_FoldsOfRealPhotos_PredictsTheSame()
    {
        var set = ReferenceFeatures.Hymenoptera().Data;
        int[] whole = [.. Enumerable.Range(0, set.X.Rows)];
        var shared = new ComparisonScope();
        foreach (var name in new[] { "ridge", "lda", "softmax" })
        {
            var trainer = HeadCatalog.Find(name);
            for (var fold = 0; fold < 5; fold++)
            {
                var data = new TrainingRows(set.X, set.Y, [.. whole.Where(i => i % 5 != fold)], 2) { AllRows = whole };
                var alone = trainer.Train(data with { AllRows = null }, HeadOptions.Parse(trainer), new());
                var part = trainer.Train(data, HeadOptions.Parse(trainer), new() { Scope = new(shared) });
                HeadChecks.AssertClose(HeadChecks.Scores(alone, set.X, whole), HeadChecks.Scores(part, set.X, whole), 1e-4);
            }
        }
    }
}
