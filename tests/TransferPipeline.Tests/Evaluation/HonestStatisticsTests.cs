using TransferPipeline.Evaluation;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Evaluation;

/// <summary>Simulations: what the tests and intervals promise holds over many data sets.</summary>
public sealed class HonestStatisticsTests(ITestOutputHelper output)
{
    private const int DataSets = 300;
    private static readonly IReadOnlyList<IHeadTrainer> Trainers = HeadCatalog.Trainers;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 1)]
    [InlineData(5, 1)]
    [InlineData(5, 3)]
    public void Run_ShuffledLabels_CallsAHeadBetterInAtMostFivePercent(int folds, int repeats)
    {
        var heads = HeadSpec.ParseList("nearest-mean,ridge,knn,knn:n_neighbors=1", [], Trainers);
        var called = 0;
        for (var set = 0; set < DataSets; set++)
        {
            var source = Shuffled(set);
            var run = Comparer.Run(
                new()
                {
                    Folds = folds,
                    Repeats = repeats,
                    Seed = set,
                    BootstrapDraws = 1,
                    Threads = 1,
                },
                [source],
                heads
            );
            called += run.Result.Heads.Any(h => !h.TiedWithBest) ? 1 : 0;
        }

        output.WriteLine($"{called} of {DataSets}");
        Assert.InRange(called, 0, DataSets / 20);
    }

    [Fact]
    public void Wilson_BinomialCounts_CoversNinetyFivePercent()
    {
        const int Draws = 20_000;
        var covered = 0;
        for (var draw = 0; draw < Draws; draw++)
        {
            var random = RandomStream.OfDraws(17, (ulong)draw);
            var (share, count) = (0.5 + (0.48 * random.UnitAt(0)), 50 + random.BelowAt(1, 400));
            var successes = 0;
            for (var i = 0; i < count; i++)
                successes += random.UnitAt((ulong)i + 2) < share ? 1 : 0;
            var interval = Intervals.Wilson(successes, count);
            covered += share >= interval.Low && share <= interval.High ? 1 : 0;
        }

        output.WriteLine($"{covered} of {Draws}");

        // Three standard errors of the simulation: 3 sqrt(0.05 x 0.95 / 20000) = 0.0046.
        Assert.InRange(covered / (double)Draws, 0.95 - 0.0046, 0.95 + 0.0046);
    }

    [Fact]
    public void Run_ManyValidationSplits_CoversTheTrueAccuracyInNinetyFivePercent()
    {
        // One head, 300 disjoint validation splits of 100 photos; the truth is its accuracy on all 30,000.
        const int Photos = 100;
        var population = Synthetic.Set(
            classes: 2,
            columns: 4,
            separation: 0.6,
            perSplit: [("train", 20), ("validation", DataSets * Photos / 2)]
        );
        var head = HeadSpec.ParseList("nearest-mean", [], Trainers);
        var truth = Comparer.Run(new() { BootstrapDraws = 1 }, [population], head).Result.Heads[0].Accuracy.Value;
        var covered = 0;
        for (var set = 0; set < DataSets; set++)
        {
            int[] rows = [.. Enumerable.Range(0, 40), .. Enumerable.Range(0, Photos).Select(i => 40 + (i * DataSets) + set)];
            var data = population.Data;
            var sample = Synthetic.Source(
                data.X.Select(rows),
                [.. rows.Select(r => data.Y[r])],
                [.. rows.Select(r => data.Rows[r].Split)],
                2
            );
            var interval = Comparer.Run(new() { BootstrapDraws = 1 }, [sample], head).Result.Heads[0].Accuracy;
            covered += truth >= interval.Low && truth <= interval.High ? 1 : 0;
        }

        output.WriteLine($"{covered} of {DataSets}, true accuracy {truth:F3}");
        Assert.InRange(covered / (double)DataSets, 0.95 - 0.038, 0.95 + 0.038);
    }

    /// <summary>Features with class structure under labels that have nothing to do with it.</summary>
    private static FeatureSource Shuffled(int seed)
    {
        var set = Synthetic.Set(classes: 2, columns: 6, seed: seed, perSplit: [("train", 30), ("validation", 30)]);
        var y = (int[])set.Data.Y.Clone();
        RandomStream.OfDraws(seed, 0xBAD).Shuffle<int>(y);
        return Synthetic.Source(set.Data.X, y, [.. set.Data.Rows.Select(r => r.Split)], 2);
    }
}
