using System.Text.Json;
using System.Text.RegularExpressions;
using TransferPipeline.Evaluation;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Evaluation;

/// <content>Sweeps.</content>
public sealed partial class ComparerTests
{
    [Fact]
    public void Run_Sweep_ChoosesInsideTheTrainingPart()
    {
        // The validation labels are shuffled: what is chosen must not depend on them.
        var set = Synthetic.Set(separation: 1, perSplit: [("train", 40), ("validation", 20)]);
        var shuffled = (int[])set.Data.Y.Clone();
        RandomStream.OfDraws(5).Shuffle(shuffled.AsSpan(120));
        var other = Synthetic.Source(set.Data.X, shuffled, [.. set.Data.Rows.Select(r => r.Split)], 3);
        var curve = Comparer.Run(new(), [set], Heads("centroid:values=[1,2,4,8]")).Result.Sweeps.Single();

        Assert.Equal([1, 2, 4, 8], curve.Values);
        Assert.True(curve.Chosen.Number >= 4);
        Assert.Equal("5 folds of the training part", curve.ChosenBy);
        Assert.Equal(curve.Scores, Comparer.Run(new(), [other], Heads("centroid:values=[1,2,4,8]")).Result.Sweeps.Single().Scores);
    }

    [Fact]
    public void Run_SweepWhoseBestIsOnTheEdge_Warns()
    {
        var run = Comparer.Run(new(), [Synthetic.Set(separation: 0.6)], Heads("centroid:values=[1,2,8]"));
        Assert.True(run.Result.Sweeps.Single().OnEdge);
        Assert.Contains(run.Result.Warnings, w => w.Contains("the best values is 8, the largest tried: widen the sweep"));
    }

    [Fact]
    public void Run_SweepWhoseBestEndsTheOptionsOwnRange_HasNoEdgeToGoBeyond()
    {
        // Only the first value of a vector distinguishes the classes, and fewer than one value cannot be used.
        var set = Synthetic.Set(separation: 3);
        for (var r = 0; r < set.Data.X.Rows; r++)
        {
            for (var d = 1; d < 8; d++)
                set.Data.X.Row(r)[d] = (float)(100 * RandomStream.OfDraws(9, (ulong)r).NormalAt((ulong)d));
        }

        var result = Comparer.Run(new(), [set], Heads("centroid:values=[1,8]")).Result;

        Assert.Equal(1, result.Sweeps.Single().Chosen);
        Assert.False(result.Sweeps.Single().OnEdge);
        Assert.Empty(result.Warnings);
    }

    [Theory]
    [InlineData("tries=[1,2]")]
    [InlineData("tries=[1,2],scaling=[none,l2]")]
    public void Run_Sweep_SearchesByTheOptionsForSearchAndTrainsByThoseGiven(string options)
    {
        var trainer = new CarefulTrainer();
        Comparer.Run(new() { Threads = 1 }, [Synthetic.Set(separation: 1)], HeadSpec.ParseList("careful:" + options, [], [trainer]));
        // The head that is kept comes last.
        var kept = trainer.Trained.FindLastIndex(tol => tol == 1e-6) + 1;
        Assert.All(trainer.Trained[..kept], tol => Assert.Equal(1e-6, tol));
        Assert.NotEmpty(trainer.Trained[..kept]);
        Assert.All(trainer.Trained[kept..], tol => Assert.Equal(1e-8, tol));
        Assert.NotEmpty(trainer.Trained[kept..]);
    }

    private sealed record Careful : HeadOptions
    {
        public override IHeadTrainer Trainer => new CarefulTrainer();

        [Option("tries", "a number that is swept")]
        public int Tries { get; init; } = 1;

        [Option("scaling", "a word that is swept")]
        public ScalingKind Scaling { get; init; }

        [Option("precision", "what a search needs less of")]
        public double Precision { get; init; } = 1e-8;

        internal override HeadOptions ForSearch => this with { Precision = 1e-6 };
    }

    private sealed class CarefulTrainer() : HeadTrainer<Careful>(new())
    {
        public List<double> Trained { get; } = [];

        public override string Name => "careful";

        public override string Summary => "";

        protected override IHead Fit(TrainingRows data, Careful options, TrainingContext context)
        {
            Trained.Add(options.Precision);
            return new CentroidTrainer().Train(data, new Centroid(), context);
        }
    }

    [Theory]
    [InlineData(0.0001, "0.0001")]
    [InlineData(10000, "10000")]
    [InlineData(13335.21432163324, "13340")]
    [InlineData(0.31622776601683794, "0.3162")]
    [InlineData(1e-6, "1E-06")]
    public void TitleWith_AChosenNumber_HasFourDigits(double value, string expected)
    {
        var spec = Heads("centroid:heat=[0.5,1]")[0];
        Assert.Equal($"centroid heat={expected}", spec.TitleWith(spec.Options.With("heat", value)));
    }

    [Fact]
    public void Run_SweepOfNames_ChoosesAmongThemTogetherWithNumbers()
    {
        // The second half of the columns is noise of a thousand times the size: only scaling makes the others count.
        var set = Synthetic.Set(separation: 3);
        for (var r = 0; r < set.Data.X.Rows; r++)
        {
            for (var d = 4; d < 8; d++)
                set.Data.X.Row(r)[d] = (float)(1000 * RandomStream.OfDraws(9, (ulong)r).NormalAt((ulong)d));
        }

        var result = Comparer
            .Run(
                new(),
                [set],
                HeadSpec.ParseList("knn:scaling=[none,standard],n_neighbors=[3,5,9],weights=[distance,uniform]", [], HeadCatalog.Trainers)
            )
            .Result;

        var head = result.Heads.Single();
        var scaling = result.Sweeps.Single(s => s.Parameter == "scaling");
        Assert.Equal("standard", head.Parameters["scaling"]);
        Assert.Equal(["none", "standard"], scaling.Values.Select(v => v.Name));
        Assert.Equal("standard", scaling.Chosen.Name);
        Assert.True(scaling.Scores[1] > scaling.Scores[0] + 0.2, string.Join(' ', scaling.Scores));
        Assert.False(scaling.OnEdge);
        Assert.Equal(["n_neighbors", "scaling", "weights"], result.Sweeps.Select(s => s.Parameter));
        Assert.Equal(
            $"knn n_neighbors={head.Parameters["n_neighbors"]} scaling=standard weights={head.Parameters["weights"]}",
            head.ChosenTitle
        );
        Assert.Equal("knn", head.ShortName);
        Assert.DoesNotContain(result.Warnings, w => w.Contains("scaling", StringComparison.Ordinal));
        using var json = JsonDocument.Parse(ComparisonJson.Serialize(result));
        var sweeps = json.RootElement.GetProperty("sweeps");
        Assert.Equal(
            """{"head":"knn n_neighbors=[3,5,9] scaling=[none,standard] """
                + """weights=[distance,uniform]","parameter":"scaling","values":["none","standard"]""",
            sweeps[1].GetRawText().Replace("\\u002B", "+")[..sweeps[1].GetRawText().IndexOf(",\"scores", StringComparison.Ordinal)]
        );
        Assert.Equal("standard", sweeps[1].GetProperty("chosen").GetString());
        Assert.Equal("[3,5,9]", sweeps[0].GetProperty("values").GetRawText());
    }

    [Fact]
    public void Run_SweepOfNamesThatMakeNoDifference_TakesTheFirst()
    {
        var result = Comparer
            .Run(
                new(),
                [Synthetic.Set(separation: 6)],
                HeadSpec.ParseList("knn:weights=[distance,uniform],n_neighbors=[3,5,7]", [], HeadCatalog.Trainers)
            )
            .Result;
        Assert.All(result.Sweeps, s => Assert.All(s.Scores, score => Assert.Equal(1, score)));
        Assert.Equal("knn n_neighbors=5 weights=distance", result.Heads[0].ChosenTitle);
    }

    [Fact]
    public void Choose_ASweep_HasMeansAndStandardErrorsOverTheInnerFolds()
    {
        var view = FeatureView.Align([Synthetic.Set(separation: 0.5)])[0];
        var train = view.PhotosOf("train");
        var spec = Heads("centroid:values=[1,2,8]")[0];
        var fitter = new HeadFitter(new() { InnerFolds = 4 }, spec, view, null, train, new ComparisonScope());
        var curve = Assert.Single(fitter.Choose(train, 1).Curves);
        for (var v = 0; v < 3; v++)
        {
            double[] scores =
            [
                .. fitter
                    .InnerParts(train)
                    .Select(p =>
                        view.Evaluate(fitter.Train(p.Train, spec.Options.With("values", curve.Values[v].Number), 1), p.Test, 1).Accuracy
                    ),
            ];
            Assert.Equal(scores.Average(), curve.Scores[v], 12);
            Assert.Equal(Math.Sqrt(scores.Sum(s => Math.Pow(s - scores.Average(), 2)) / 3 / 4), curve.StandardErrors[v], 12);
            Assert.True(curve.StandardErrors[v] > 0);
        }
    }

    [Fact]
    public void Run_SweepWhereNearDuplicatesLeaveNoFolds_SaysSo()
    {
        // All photos of a class are one photo: each inner fold would lack a class.
        var x = new FeatureMatrix(24, 2);
        for (var r = 0; r < 24; r++)
            (x.Row(r)[r % 2], x.Row(r)[1 - r % 2]) = (1, 0);
        var set = Synthetic.Source(
            x,
            [.. Enumerable.Range(0, 24).Select(r => r % 2)],
            [.. Enumerable.Range(0, 24).Select(r => r < 16 ? "train" : "validation")],
            2
        );
        var error = Assert.Throws<BadInputException>(() =>
            Comparer.Run(new() { GroupNearDuplicates = true }, [set], Heads("centroid:heat=[1,2]"))
        );
        Assert.Equal(
            "near-duplicates that must stay together leave no folds inside the training part; set the values instead of sweeping",
            error.Message
        );
    }

    [Fact]
    public void Run_OnePhotoOfEachClass_AdvisesOnSweepsAlone()
    {
        var set = Synthetic.Set(separation: 1, perSplit: [("train", 1), ("validation", 4)]);
        var run = Comparer.Run(new() { Calibrate = true }, [set], Heads("centroid"));
        const string Reason = "no class has two photos to train on: nothing can be evaluated inside the training part";
        Assert.Contains($"centroid: not calibrated: {Reason}", run.Result.Warnings);
        var error = Assert.Throws<BadInputException>(() => Comparer.Run(new(), [set], Heads("centroid:heat=[1,2]")));
        Assert.Equal($"{Reason}; set the values instead of sweeping", error.Message);
    }

    [Fact]
    public void Run_ReportedSplitThatLacksAClass_IsNoted()
    {
        var set = Synthetic.Set(separation: 3);
        var (y, splits) = (Enumerable.Range(0, 60).Select(i => i % 3).ToArray(), new string[60]);
        for (var i = 0; i < y.Length; i++)
            splits[i] = i < 30 || y[i] == 2 ? "train" : "validation";
        var x = new FeatureMatrix(60, set.Data.X.Columns);
        for (var i = 0; i < y.Length; i++)
        {
            // The memory is as it was found.
            x.Row(i).Clear();
            x.Row(i)[y[i]] = 5 + i * 0.01f;
        }

        var source = Synthetic.Source(x, y, splits, 3);
        Assert.Contains(
            $"split validation has no photo of 1 of 3 classes ({source.Data.Classes[2]}): the figures do not cover them",
            Comparer.Run(new(), [source], Heads("centroid")).Result.Warnings
        );
    }
}
