using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

public sealed class StratifiedSplitTests
{
    private static readonly int[] Clothing = [241, 123, 455, 184, 468, 290, 198, 202, 112, 795];

    public static TheoryData<int[], double, int[]> ScikitLearnsCounts =>
        new()
        {
            { Clothing, 0.1, [24, 12, 46, 18, 47, 29, 20, 20, 11, 80] },
            { Clothing, 0.2, [48, 25, 91, 37, 94, 58, 40, 40, 22, 159] },
            { Clothing, 0.07, [17, 8, 32, 13, 33, 20, 14, 14, 8, 56] },
            { [123, 121], 0.2, [25, 24] },
        };

    /// <summary>Expected counts: scikit-learn 1.2, StratifiedShuffleSplit(1, test_size=share), the same for seeds 0 to 3.</summary>
    [Theory]
    [MemberData(nameof(ScikitLearnsCounts))]
    public void Complete_TakesAsManyOfEachClassAsScikitLearn(int[] sizes, double share, int[] expected)
    {
        var entries = Make(sizes);
        StratifiedSplit.Complete(entries, new DatasetOptions { Path = "x", ValidationShare = share });

        Assert.Equal(expected, sizes.Select((_, c) => entries.Count(e => e.Label == $"c{c}" && e.Split == Splits.Validation)));
        Assert.Equal(sizes.Sum() - expected.Sum(), entries.Count(e => e.Split == Splits.Train));
    }

    [Fact]
    public void Complete_AnotherSeed_TakesOthers()
    {
        var splits = new[] { 0, 0, 1 }
            .Select(seed =>
            {
                var entries = Make(Clothing);
                StratifiedSplit.Complete(entries, new DatasetOptions { Path = "x", Seed = seed });
                return entries.Select(e => e.Split).ToArray();
            })
            .ToArray();

        Assert.Equal(splits[0], splits[1]);
        Assert.NotEqual(splits[0], splits[2]);
    }

    [Fact]
    public void Complete_OnePhotoAdded_MovesAtMostTwoOthersOfItsClass()
    {
        var before = Make(Clothing);
        PhotoEntry[] after = [.. Make(Clothing), new PhotoEntry("c0/new.jpg", "c0", "")];
        var options = new DatasetOptions
        {
            Path = "x",
            ValidationShare = 0.1,
            TestShare = 0.1,
        };
        StratifiedSplit.Complete(before, options);
        StratifiedSplit.Complete(after, options);

        var moved = before.Zip(after).Count(pair => pair.First.Split != pair.Second.Split);
        Assert.InRange(moved, 0, 4);
    }

    [Fact]
    public void Complete_DataWithTrainAndTestOnly_TakesValidationFromTrainWhenAsked()
    {
        PhotoEntry[] entries =
        [
            .. Enumerable.Range(0, 50).Select(i => new PhotoEntry($"p{i}", i % 2 == 0 ? "a" : "b", i < 10 ? Splits.Test : Splits.Train)),
        ];
        var requested = entries.ToArray();
        StratifiedSplit.Complete(requested, new DatasetOptions { Path = "x", ValidationShare = 0.25 });
        StratifiedSplit.Complete(entries, new DatasetOptions { Path = "x" });

        Assert.Equal(10, requested.Count(e => e.Split == Splits.Validation));
        Assert.Equal(10, requested.Count(e => e.Split == Splits.Test));
        Assert.DoesNotContain(entries, e => e.Split == Splits.Validation);
    }

    [Theory]
    [InlineData(-0.1, 0)]
    [InlineData(double.NaN, 0)]
    [InlineData(0, 1)]
    [InlineData(0.5, 0.5)]
    public void Complete_SharesThatLeaveNothing_AreRefused(double validation, double test)
    {
        var error = Assert.Throws<UsageException>(() =>
            StratifiedSplit.Complete(
                Make([3, 3]),
                new DatasetOptions
                {
                    Path = "x",
                    ValidationShare = validation,
                    TestShare = test,
                }
            )
        );
        Assert.Contains("share", error.Message);
    }

    private static PhotoEntry[] Make(int[] sizes) =>
        [.. sizes.SelectMany((size, c) => Enumerable.Range(0, size).Select(i => new PhotoEntry($"c{c}/{i:d4}.jpg", $"c{c}", "")))];
}
