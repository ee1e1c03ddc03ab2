using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Tests.Heads;

public sealed class StreamingTrainerTests
{
    public static TheoryData<string, string, int> Cases =>
        new()
        {
            { "softmax", "C=0.1", 5 },
            { "softmax", "C=1;scaling=standard", 2 },
            { "logistic", "C=1;class_weight=balanced", 4 },
            { "linear-svm", "C=0.1", 5 },
            { "linear-svm", "C=0.01;scaling=standard;class_weight=0:2", 4 },
            { "ridge", "alpha=10", 5 },
            { "ridge", "alpha=1;scaling=standard;class_weight=balanced", 2 },
            { "ridge", "alpha=2;fit_intercept=false;scaling=l2", 3 },
        };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Train_RowsInBlocks_FindsTheOptimumOfMemory(string name, string options, int classes)
    {
        // More rows than the sample, in blocks that do not divide them.
        var (x, y) = Mixture.Create(2500, 24, classes, 11, spread: 3);
        var trainer = StreamingTrainer.Require(HeadCatalog.Find(name));
        var settings = HeadOptions.Parse(trainer, Goldens(options));
        var context = new TrainingContext { Warn = w => Assert.Fail(w) };
        var stream = new MemoryStream(x, y, 700);
        var streamed = trainer.TrainStream(stream, classes, settings, context with { SampleRows = 600 });
        Assert.Equal(trainer.StreamsOnce(settings), stream.Readings == 1);
        var inMemory = trainer.Train(Mixture.Training(x, y, 2500), settings, context);
        Assert.Equal(inMemory.Fit.Objective, streamed.Fit.Objective, Math.Abs(inMemory.Fit.Objective) * 1e-6);
        int[] rows = [.. Enumerable.Range(0, 200)];
        HeadChecks.AssertClose(HeadChecks.Scores(inMemory, x, rows), HeadChecks.Scores(streamed, x, rows), 2e-3);
    }

    [Theory]
    [InlineData("softmax")]
    [InlineData("logistic")]
    public void Train_WeakRegularization_TakesFewPasses(string name)
    {
        var (x, y) = Mixture.Create(9000, 40, 5, 12, spread: 2);
        var trainer = StreamingTrainer.Require(HeadCatalog.Find(name));
        var settings = HeadOptions.Parse(trainer).With("C", 100);
        var context = new TrainingContext { Warn = w => Assert.Fail(w) };
        var streamed = trainer.TrainStream(new MemoryStream(x, y, 1000), 5, settings, context with { SampleRows = 900 });
        var inMemory = trainer.Train(Mixture.Training(x, y, 9000), settings, context);
        Assert.Equal(inMemory.Fit.Objective, streamed.Fit.Objective, Math.Abs(inMemory.Fit.Objective) * 1e-6);
        Assert.InRange(streamed.Fit.Passes, 2, 40);
    }

    [Theory]
    [InlineData("softmax")]
    [InlineData("ridge")]
    public void Train_NaNInALaterBlock_NamesTheRow(string name)
    {
        var (x, y) = Mixture.Create(1500, 6, 2, 1);
        x.Row(1203)[4] = float.NaN;
        var trainer = StreamingTrainer.Require(HeadCatalog.Find(name));
        var error = Assert.Throws<BadInputException>(() =>
            trainer.TrainStream(new MemoryStream(x, y, 500), 2, HeadOptions.Parse(trainer), new())
        );
        Assert.StartsWith("the vector of row 1203 has NaN at position 4", error.Message);
    }

    [Fact]
    public void Train_HeadThatNeedsAllRows_SaysWhichCanBeStreamed()
    {
        var error = Assert.Throws<UsageException>(() => StreamingTrainer.Require(HeadCatalog.Find("knn")));
        Assert.Contains("softmax, logistic, linear-svm, ridge", error.Message);
    }

    private static Dictionary<string, string> Goldens(string options) =>
        options.Split(';').Select(p => p.Split('=')).ToDictionary(p => p[0], p => p[1]);

    /// <summary>Hands out copies of rows in one reused block.</summary>
    private sealed class MemoryStream(FeatureMatrix x, int[] y, int blockRows) : IRowStream
    {
        public int Columns => x.Columns;

        public IReadOnlyList<int> Labels => y;

        public int Readings { get; private set; }

        public void Read(Action<FeatureMatrix, int, int> block)
        {
            Readings++;
            var matrix = new FeatureMatrix(blockRows, x.Columns);
            for (var first = 0; first < x.Rows; first += blockRows)
            {
                var count = Math.Min(blockRows, x.Rows - first);
                x.Data.AsSpan(first * x.Columns, count * x.Columns).CopyTo(matrix.Data);
                block(matrix, first, count);
            }
        }
    }
}
