using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using TransferPipeline.Evaluation;
using TransferPipeline.Reports;

namespace TransferPipeline.Tests.Reports;

/// <content>Tables of heads and of their tests.</content>
public sealed partial class ComparisonReportTests
{
    [Fact]
    public void The_table_of_heads_has_the_figures_of_the_JSON()
    {
        var comparison = SyntheticComparison.Create(heads: 9);

        var html = ComparisonReport.Render(comparison, static _ => null);

        using var json = JsonDocument.Parse(ComparisonJson.Serialize(comparison));
        var rows = HeadRows()
            .Matches(Regex.Match(html, "<table class=\"heads.*?</table>", RegexOptions.Singleline).Value)
            .ToDictionary(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture), m => m.Groups[2].Value);
        Assert.Equal(9, rows.Count);
        string[] columns =
        [
            "accuracy",
            "accuracy_low",
            "accuracy_high",
            "p_value",
            "fit_seconds",
            "balanced_accuracy",
            "macro_f1",
            "top5",
            "log_loss",
            "calibration_error",
            "calibration_error_scaled",
            "sweep_seconds",
            "predict_seconds",
            "parameter_count",
        ];
        for (var h = 0; h < 9; h++)
        {
            var head = json.RootElement.GetProperty("heads")[h];
            var expected = columns
                .Select(c => head.GetProperty(c))
                .Where(v => v.ValueKind == JsonValueKind.Number)
                .Select(v => v.GetDouble())
                .ToList();
            if (head.GetProperty("sweep_seconds").GetDouble() == 0)
                expected.Remove(0);
            Assert.Equal(expected, Data().Matches(rows[h]).Select(m => double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)));
        }
    }

    [Fact]
    public void A_head_shows_what_its_test_against_the_best_rests_on()
    {
        var comparison = SyntheticComparison.Create(heads: 3);

        string Against(Comparison shown) =>
            Regex.Replace(
                Regex.Match(ComparisonReport.Render(shown, static _ => null), "<p class=\"against\">(.*?)</p>").Groups[1].Value,
                "<[^>]*>",
                ""
            );

        Assert.Equal(
            "Against the best head accuracy -0.014: 11 photos that only this one has right, 21 that only the best one has; p = 0.040 "
                + "of this pair alone, 0.200 after Holm's correction.",
            Against(comparison)
        );
        Assert.Equal(
            Against(comparison),
            Against(
                comparison with
                {
                    Tests =
                    [
                        .. comparison.Tests.Select(t => new PairedTest(
                            t.Second,
                            t.First,
                            -t.Difference,
                            t.OnlySecondRight,
                            t.OnlyFirstRight,
                            t.PValue,
                            t.AdjustedPValue
                        )),
                    ],
                }
            )
        );
    }

    [Fact]
    public void A_page_of_very_many_heads_holds_only_the_tests_against_the_best()
    {
        var html = ComparisonReport.Render(SyntheticComparison.Create(classes: 3, heads: 70), static _ => null);

        using var figures = JsonDocument.Parse(
            Regex.Match(html, "<script type=\"application/json\" id=\"figures\">(.*?)</script>", RegexOptions.Singleline).Groups[1].Value
        );
        Assert.Equal(69, figures.RootElement.GetProperty("tests").GetArrayLength());
        Assert.Contains("leaves out tests of pairs without the best head", html);
        Assert.Equal(69, Count(html, "<p class=\"against\">"));
    }
}
