using System.Globalization;
using System.Text.RegularExpressions;
using TransferPipeline.Reports;

namespace TransferPipeline.Tests.Reports.Charts;

public sealed class LabelPlacerTests
{
    [Fact]
    public void Place_ACrowdOfPoints_GivesEachAPlaceOfItsOwn()
    {
        var placer = new LabelPlacer(0, 0, 800, 400, withLines: true);
        (double X, double Y)[] points = [.. Enumerable.Range(0, 12).Select(i => (400.0 + (i % 4 * 9), 200.0 + (i / 4 * 9)))];
        foreach (var (x, y) in points)
            placer.Avoid(x, y, 6);

        var labels = points.Select(p => placer.Place(p.X, p.Y, 9, "linear-svm")!.Value).ToArray();

        var width = Chart.TextWidth("linear-svm");
        for (var a = 0; a < labels.Length; a++)
        {
            Assert.InRange(labels[a].X, 0, 800 - width);
            Assert.InRange(labels[a].Y, 11, 400);
            for (var b = 0; b < a; b++)
                Assert.True(
                    Math.Abs(labels[a].X - labels[b].X) >= width - 1e-9 || Math.Abs(labels[a].Y - labels[b].Y) >= 14 - 1e-9,
                    $"labels {a} and {b} overlap"
                );
        }

        Assert.Null(labels[0].LineEnd);
        Assert.Contains(labels, l => l.LineEnd is not null);
    }

    [Fact]
    public void Place_WhereNothingFits_IsNothing() =>
        Assert.Null(new LabelPlacer(0, 0, 40, 12, withLines: true).Place(20, 6, 9, "linear-svm"));

    [Fact]
    public void Heads_that_are_close_together_all_have_their_names_in_the_chart()
    {
        var comparison = SyntheticComparison.Create(heads: 11);
        comparison = comparison with
        {
            Heads =
            [
                .. comparison.Heads.Select(
                    (h, i) => h with { FitSeconds = 0.5 + (0.03 * i), Accuracy = new(0.86 - (0.001 * i), 0.82, 0.9) }
                ),
            ],
        };

        var chart = Regex
            .Match(
                ComparisonReport.Render(comparison, static _ => null),
                "<svg class=\"chart wide\"[^>]*aria-label=\"Accuracy against fit time.*?</svg>",
                RegexOptions.Singleline
            )
            .Value;

        Assert.All(comparison.Heads, h => Assert.Contains($">{h.ShortName}</text>", chart));
        Assert.Contains("class=\"leader\"", chart);
        Assert.All(
            Regex
                .Matches(chart, "<text class=\"label halo\" x=\"([0-9.]+)\"")
                .Select(m => double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)),
            x => Assert.InRange(x, 0, 860)
        );
    }
}
