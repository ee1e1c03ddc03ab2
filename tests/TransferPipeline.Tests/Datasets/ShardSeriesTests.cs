using TransferPipeline.Datasets;

namespace TransferPipeline.Tests.Datasets;

public sealed class ShardSeriesTests
{
    [Theory]
    [InlineData("train-0000-of-0003.tar train-0002-of-0003.tar", "1 files of its numbered series are not there: 0001 of 0003")]
    [InlineData("0000.tar 0001.tar 0003.tar", "1 files of its numbered series are not there: 0002")]
    [InlineData("photos-20240101.tar photos-20250101.tar", null)]
    [InlineData("a-00001-of-00002.tar a-00002-of-00002.tar", null)]
    [InlineData("train-000.tar train-002.tar", "1 files of its numbered series are not there: 001")]
    [InlineData("shard_0.tar shard_1.tar shard_3.tar", "1 files of its numbered series are not there: 2")]
    [InlineData("train_0_of_3.tar train_1_of_3.tar", "1 files of its numbered series are not there: 2 of 3")]
    [InlineData("part-1-of-2.tar part-2-of-2.tar", null)]
    [InlineData("cifar10.tar cifar100.tar", null)]
    public void Check_WithGaps_NamesThem(string files, string? expected)
    {
        var problems = new ProblemList();
        ShardSeries.Check("here", files.Split(' '), problems);
        Assert.Equal(expected is null ? 0 : 1, problems.ToList().Count);
        if (expected is not null)
            Assert.StartsWith(expected, problems.ToList()[0].Problem);
    }

    [Fact]
    public void Check_OfTwoTotals_IsRefused() =>
        Assert.Contains(
            "are of two series",
            Assert
                .Throws<BadInputException>(() =>
                    ShardSeries.Check("here", ["train-00000-of-00002.parquet", "train-00000-of-00003.parquet"], new ProblemList())
                )
                .Message
        );
}
