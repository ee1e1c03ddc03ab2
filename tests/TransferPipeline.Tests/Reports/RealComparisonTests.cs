using System.Text.Json;
using System.Text.RegularExpressions;
using TransferPipeline.Evaluation;
using TransferPipeline.Reports;
using TransferPipeline.Tests.Evaluation;

namespace TransferPipeline.Tests.Reports;

/// <summary>Pages of comparisons that were run, not made up.</summary>
public sealed class RealComparisonTests
{
    [Fact]
    public void A_page_of_a_split_shows_all_that_was_measured()
    {
        var options = new ComparisonOptions
        {
            Calibrate = true,
            CheckData = true,
            Map = true,
            FewShotPerClass = [2, 8],
            Command = "transfer compare --calibrate",
        };
        var run = Comparer.Run(
            options,
            [Synthetic.Set(classes: 7, separation: 1.2)],
            ComparerTests.Heads("centroid:values=[1,2,4,8],centroid:values=1")
        );

        var html = ComparisonReport.Render(run.Result, static _ => null);

        string[] always = ["heads", "time", "sweeps", "few-shot", "details"];
        var sections = Regex.Matches(html, "<section id=\"([^\"]+)\"").Select(m => m.Groups[1].Value).ToArray();
        Assert.Equal(always, sections[..5]);
        Assert.Equal(["data", "map", "provenance"], sections[^3..]);
        Assert.Contains(new Html().Add($"<bdi>{run.Result.Verdict}</bdi>").ToString(), html);
        Assert.Contains("after temperature scaling", html);
        Assert.Contains("bands are 95 % intervals of that mean over the draws, which are all evaluated on the same photos.", html);
        Assert.Contains("transfer compare --calibrate", html);
        HasTheJson(html, run.Result);
    }

    [Fact]
    public void A_page_of_folds_shows_each_fold()
    {
        var run = Comparer.Run(
            new() { Folds = 5, FewShotPerClass = [2, 8] },
            [Synthetic.Set(separation: 1), Synthetic.Set(separation: 0.8, folder: "other")],
            ComparerTests.Heads("centroid")
        );

        var html = ComparisonReport.Render(run.Result, static _ => null);

        Assert.Equal(2, Regex.Matches(html, "Accuracy of each fold").Count);
        Assert.Contains("bands are 95 % intervals of that mean over the draws.", html);
        Assert.Contains("<section id=\"features\"", html);
        Assert.DoesNotContain("<section id=\"sweeps\"", html);
        Assert.DoesNotContain("NaN", html.Split("<script")[0]);
        HasTheJson(html, run.Result);
    }

    private static void HasTheJson(string html, Comparison comparison)
    {
        var block = Regex
            .Match(html, "<script type=\"application/json\" id=\"figures\">(.*?)</script>", RegexOptions.Singleline)
            .Groups[1]
            .Value;
        using var shown = JsonDocument.Parse(block);
        using var full = JsonDocument.Parse(ComparisonJson.Serialize(comparison));
        Assert.True(JsonElement.DeepEquals(full.RootElement, shown.RootElement));
    }
}
