using TransferPipeline.Heads.Linear;

namespace TransferPipeline.Tests.Heads.Linear;

public sealed class CurvatureSampleTests
{
    [Fact]
    public void Take_FewRowsThatMatter_TakesThemAllAndStandsForTheRest()
    {
        var draw = Mixture.Draw(5);
        float[] curvatures = [.. Enumerable.Range(0, 20000).Select(i => i % 50 == 0 ? 1f : (float)(0.01 * draw()))];
        float[] even = [.. curvatures.Where((_, i) => i % 7 == 0)];
        var choice = new CurvatureSample(even, [.. even.Select(_ => 1f)], 0.1);
        var (taken, heavy, rows, curvature) = (0, 0, 0.0, 0.0);
        foreach (var c in curvatures)
        {
            var probability = choice.Take(c);
            if (probability == 0)
                continue;
            taken++;
            heavy += c == 1 ? 1 : 0;
            rows += 1 / probability;
            curvature += c / probability;
        }

        Assert.Equal(400, heavy);
        Assert.InRange(taken, 1800, 2000);
        Assert.InRange(rows, 19000, 21000);
        Assert.InRange(curvature / curvatures.Sum(c => (double)c), 0.98, 1.02);
    }

    [Fact]
    public void Take_EarlierRowsStandForDifferentNumbers_WantsTheSameShare()
    {
        // A heavy row for itself, a light one for nine.
        float[] curvatures = [.. Enumerable.Range(0, 400).Select(i => i < 200 ? 1f : 0.05f)];
        float[] counts = [.. Enumerable.Range(0, 400).Select(i => i < 200 ? 0.2f : 1.8f)];
        var choice = new CurvatureSample(curvatures, counts, 0.2);
        var taken = 0;
        for (var i = 0; i < 2000; i++)
            taken += choice.Take(i % 10 == 0 ? 1 : 0.05) > 0 ? 1 : 0;
        Assert.InRange(taken, 370, 400);
    }
}
