using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using TransferPipeline.Evaluation;
using TransferPipeline.Reports;

namespace TransferPipeline.Tests.Reports;

/// <content>Charts and the map.</content>
public sealed partial class ComparisonReportTests
{
    [Fact]
    public void Charts_draw_every_curve_with_its_figures()
    {
        var comparison = SyntheticComparison.Create();
        var html = ComparisonReport.Render(comparison, static _ => null);

        // Calibration before and after scaling: a mark for each bin that has photos.
        foreach (var bin in comparison.Heads[0].CalibrationScaled.Where(b => b.Count > 0))
            Assert.Contains(
                $"<title>{bin.Count} photos after scaling: confidence {Rounded(bin.Confidence)}, right {Rounded(bin.Accuracy)}</title>",
                html
            );
        Assert.Equal(comparison.Heads[0].CalibrationScaled.Count(b => b.Count > 0), Regex.Count(html, " photos after scaling: confidence"));

        // Each few-shot curve has its head's name at its end, and each value of a sweep its standard error.
        var fewShot = html[html.IndexOf("<section id=\"few-shot\"", StringComparison.Ordinal)..];
        foreach (var curve in comparison.FewShot)
            Assert.Matches(
                $"<text class=\"label\"[^>]*>{Regex.Escape(comparison.Heads.First(h => h.Title == curve.Head).ShortName)}</text>",
                fewShot
            );
        var sweeps = html[
            html.IndexOf("<section id=\"sweeps\"", StringComparison.Ordinal)..html.IndexOf(
                "<section id=\"few-shot\"",
                StringComparison.Ordinal
            )
        ];
        Assert.Equal(comparison.Sweeps.Sum(s => s.StandardErrors.Count(e => e == 0.012)), Regex.Count(sweeps, "<data value=\"0.012\">"));
        Assert.All(comparison.DataCheck!.SuspectLabels, s => Assert.Contains(s.Path, html));

        static string Rounded(double value) => value.ToString("0.000", CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Charts_of_several_feature_sets_tell_heads_apart_by_the_sets_names()
    {
        var comparison = SyntheticComparison.Create(heads: 2, featureSets: 2);
        comparison = comparison with
        {
            Heads =
            [
                .. comparison.Heads.Select(h =>
                    h with
                    {
                        NameOnOneSet = "softmax",
                        ShortName = $"softmax on a-model-with-a-long-name/features adaptive:2x{h.FeatureSet}",
                    }
                ),
            ],
        };

        var html = ComparisonReport.Render(comparison, static _ => null);

        var chart = Regex
            .Match(html, "<svg class=\"chart wide\"[^>]*aria-label=\"Accuracy against fit time.*?</svg>", RegexOptions.Singleline)
            .Value;
        Assert.Contains(">clothing-0: softmax</text>", chart);
        Assert.Contains(">clothing-1: softmax</text>", chart);
    }

    [Theory]
    [InlineData(300, "see what it is, or go")]
    [InlineData(1200, "see what it is (400 have a picture), or go")]
    public void The_map_says_how_many_of_its_photos_have_a_picture(int points, string expected)
    {
        string[] paths = [.. Enumerable.Range(0, points).Select(i => $"photo-{i}.jpg")];
        Assert.Contains(
            expected,
            ComparisonReport.Render(
                SyntheticComparison.Create(points: points, paths: paths) with
                {
                    DataCheck = null,
                    Heads = [.. SyntheticComparison.Create().Heads.Select(h => h with { Mistakes = [] })],
                },
                static _ => Picture
            )
        );
    }

    [Fact]
    public void A_sweep_of_names_has_an_axis_of_names()
    {
        var html = ComparisonReport.Render(SyntheticComparison.Create(), static _ => null);

        var chart = Regex
            .Match(html, "<svg class=\"chart\"[^>]*aria-label=\"Sweep of scaling for .*?</svg>", RegexOptions.Singleline)
            .Value;
        foreach (var name in new[] { ">none</text>", ">standard</text>", ">&lt;script&gt;alert(" })
            Assert.Contains(name, chart);
        Assert.Contains("<title>scaling = standard: 0.860</title>", chart);
        Assert.DoesNotContain("<polyline", chart);
        Assert.Contains("<td class=\"n\">standard</td>", html);
    }
}
