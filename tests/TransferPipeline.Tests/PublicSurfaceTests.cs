namespace TransferPipeline.Tests;

public sealed class PublicSurfaceTests
{
    /// <summary>A head that is added to the library has a public record of options: then this rises by one.</summary>
    private const int MostTypes = 90;

    /// <summary>
    /// What others build on changes only when somebody means it to: this test never writes the file that it compares with.
    /// </summary>
    [Fact]
    public void Library_OffersWhatTheSnapshotSays()
    {
        var snapshot = Path.Combine(SharedData.Repository, "tests", "TransferPipeline.Tests", "PublicSurface.txt");
        var now = PublicSurface.Of(typeof(TransferException).Assembly);
        var found = Path.Combine(AppContext.BaseDirectory, "PublicSurface.found.txt");
        File.WriteAllText(found, now);

        var (expected, actual) = (File.ReadAllLines(snapshot), now.Split('\n', StringSplitOptions.RemoveEmptyEntries));

        var types = typeof(TransferException).Assembly.GetExportedTypes().Length;
        Assert.True(
            types is > 0 and <= MostTypes,
            $"{types} public types, expected at most {MostTypes}: make internal what users of the library do not need "
                + "(docs/architecture.md, Rules), or raise the limit with a head"
        );
        var (gone, added) = (expected.Except(actual).ToArray(), actual.Except(expected).ToArray());
        Assert.True(
            expected.SequenceEqual(actual),
            $"the public surface has "
                + $"changed\n{string.Join('\n', gone.Select(l => "- " + l.Trim()).Concat(added.Select(l => "+ " + l.Trim())))}\nif "
                + $"that is meant: cp {Path.GetRelativePath(SharedData.Repository, found)} "
                + $"{Path.GetRelativePath(SharedData.Repository, snapshot)}"
        );
    }
}
