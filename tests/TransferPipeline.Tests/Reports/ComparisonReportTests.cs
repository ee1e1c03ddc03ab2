using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using TransferPipeline.Evaluation;
using TransferPipeline.Reports;

namespace TransferPipeline.Tests.Reports;

public sealed partial class ComparisonReportTests
{
    private static readonly byte[] Picture = [0xFF, 0xD8, 0xFF, 0xD9];

    [Fact]
    public void Every_section_is_there_when_there_is_something_to_show()
    {
        var html = ComparisonReport.Render(SyntheticComparison.Create(featureSets: 2), static _ => Picture);

        string[] expected =
        [
            "heads",
            "time",
            "features",
            "sweeps",
            "few-shot",
            "details",
            "suspects",
            "duplicates",
            "outliers",
            "data",
            "map",
            "provenance",
        ];
        Assert.Equal(expected, SectionIds().Matches(html).Select(m => m.Groups[1].Value));
        foreach (var id in expected)
            Assert.Contains($"<a href=\"#{id}\">", html);
    }

    [Fact]
    public void What_is_absent_leaves_no_heading()
    {
        var full = SyntheticComparison.Create(heads: 1);
        var bare = full with
        {
            Sweeps = [],
            FewShot = [],
            DataCheck = null,
            Map = null,
            Warnings = [],
            Heads =
            [
                full.Heads[0] with
                {
                    Calibration = [],
                    CalibrationScaled = [],
                    History = [],
                    Mistakes = [],
                    PerClass = [],
                    Confusion = [],
                    FoldAccuracies = [],
                },
            ],
        };

        var html = ComparisonReport.Render(bare, static _ => null);

        Assert.Equal(["heads", "details", "data", "provenance"], SectionIds().Matches(html).Select(m => m.Groups[1].Value));
        Assert.Equal(["Fit", "Command"], Regex.Matches(html, "<h3>([^<]*)</h3>").Select(m => m.Groups[1].Value));
        Assert.DoesNotContain("arning", html.Split("</style>")[1].Split("<script")[0]);
    }

    [Fact]
    public void A_data_check_that_found_nothing_says_so()
    {
        var comparison = SyntheticComparison.Create() with
        {
            DataCheck = new()
            {
                NearDuplicateCosine = 0.95,
                SuspectLabelsBy = "softmax",
                AccuracyWithDuplicates = 0.9,
                AccuracyWithoutDuplicates = 0.9,
            },
        };

        var html = ComparisonReport.Render(comparison, static _ => null);

        Assert.Contains("There are no photos whose label a head that did not see them (<bdi>softmax</bdi>) finds improbable.", html);
        Assert.Contains(
            "There are no pairs of photos whose vectors have a cosine of at least <data value=\"0.95\">0.950</data>.</p>",
            html
        );
        Assert.Contains("No photo is further from the others of its class than is usual there.", html);
        Assert.DoesNotContain("Across splits", html);
    }

    [Fact]
    public void Feature_sets_in_folders_of_the_same_name_have_the_whole_folder()
    {
        var comparison = SyntheticComparison.Create(featureSets: 2);
        var sets = comparison.Provenance.FeatureSets;

        var html = ComparisonReport.Render(
            comparison with
            {
                Provenance = comparison.Provenance with
                {
                    FeatureSets = [sets[0] with { Folder = "a/set" }, sets[1] with { Folder = "b/set" }],
                },
            },
            static _ => null
        );

        Assert.Contains("<tr><th scope=\"row\"><bdi>a/set</bdi></th>", html);
        Assert.Contains("<tr><th scope=\"row\"><bdi>b/set</bdi></th>", html);
    }

    [Fact]
    public void A_comparison_read_from_its_JSON_is_the_one_that_was_written()
    {
        var json = ComparisonJson.Serialize(SyntheticComparison.Create());

        var read = ComparisonJson.Deserialize(System.Text.Encoding.UTF8.GetBytes(json));

        Assert.Equal(json, ComparisonJson.Serialize(read));
        Assert.Equal("standard", read.Sweeps[^1].Chosen.Name);
        Assert.True(double.IsNaN(read.Heads[0].PValue));
    }

    [Fact]
    public void Hostile_names_stay_text()
    {
        var comparison = SyntheticComparison.Create(names: SyntheticComparison.HostileClasses, featureSets: 2);

        var html = ComparisonReport.Render(comparison, static _ => Picture);

        Assert.DoesNotContain("<script>alert", html);
        Assert.DoesNotContain("<b onclick", html);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", html);
        Assert.Equal(1, Count(html, "</title></head>") + Count(html, "</style>"));
        Assert.Equal(2, Count(html, "<script"));
        Assert.Equal(2, Count(html, "</script"));
        Assert.DoesNotContain('\0', html);
        _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(html);
    }

    [Fact]
    public void Nothing_comes_from_elsewhere_and_the_policy_names_style_and_script()
    {
        var html = ComparisonReport.Render(SyntheticComparison.Create(), static _ => Picture);

        var policy = Regex.Match(html, "http-equiv=\"Content-Security-Policy\" content=\"([^\"]*)\"").Groups[1].Value;
        Assert.StartsWith("default-src 'none'; img-src data:;", policy);
        Assert.Contains($"style-src '{Hash(Regex.Match(html, "<style>(.*?)</style>", RegexOptions.Singleline).Groups[1].Value)}'", policy);
        Assert.Contains(
            $"script-src '{Hash(Regex.Match(html, "<script>(.*?)</script>", RegexOptions.Singleline).Groups[1].Value)}'",
            policy
        );
        Assert.DoesNotContain(" style=\"", html);
        Assert.All(Regex.Matches(html, " (?:href|src)=\"([^\"]*)\""), m => Assert.Matches("^(#|data:)", m.Groups[1].Value));
        Assert.Empty(Regex.Matches(html, @"url\(|@import|https?://(?!www\.w3\.org/(2000/svg|1999/xlink))"));
    }

    [Fact]
    public void What_is_shown_is_the_exact_value_rounded()
    {
        var html = ComparisonReport.Render(SyntheticComparison.Create(), static _ => null);

        var rates = Data().Matches(html).Where(m => Regex.IsMatch(m.Groups[2].Value, @"^\d\.\d{3}$")).ToArray();
        Assert.True(rates.Length > 200);
        Assert.All(
            rates,
            m =>
                Assert.Equal(
                    double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture),
                    double.Parse(m.Groups[2].Value, CultureInfo.InvariantCulture),
                    0.00051
                )
        );
    }

    [Fact]
    public void The_data_block_is_the_JSON_itself()
    {
        var comparison = SyntheticComparison.Create(names: SyntheticComparison.HostileClasses[..5]);

        var html = ComparisonReport.Render(comparison, static _ => null);

        var block = Regex
            .Match(html, "<script type=\"application/json\" id=\"figures\">(.*?)</script>", RegexOptions.Singleline)
            .Groups[1]
            .Value;
        Assert.DoesNotContain('<', block);
        using var shown = JsonDocument.Parse(block);
        using var full = JsonDocument.Parse(ComparisonJson.Serialize(comparison));
        Assert.True(JsonElement.DeepEquals(full.RootElement, shown.RootElement));
    }

    [Fact]
    public void A_photo_stands_in_the_page_once()
    {
        var requested = new List<string>();
        var html = ComparisonReport.Render(
            SyntheticComparison.Create(),
            path =>
            {
                requested.Add(path);
                return Picture;
            }
        );

        Assert.Equal(requested.Count, requested.Distinct().Count());
        Assert.Equal(requested.Count, Count(html, "data:image/jpeg;base64,"));
        Assert.True(Count(html, "<use href=\"#t0\"/>") > 1);
    }

    [Fact]
    public void The_same_comparison_gives_the_same_bytes()
    {
        using var folder = new TempFolder();
        var (first, second) = (folder.At("a", "report.html"), folder.At("b", "report.html"));

        ComparisonReport.Write(first, SyntheticComparison.Create(featureSets: 3), static p => p.Length % 2 == 0 ? Picture : null);
        ComparisonReport.Write(second, SyntheticComparison.Create(featureSets: 3), static p => p.Length % 2 == 0 ? Picture : null);

        Assert.Equal(File.ReadAllBytes(first), File.ReadAllBytes(second));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(first)!));
    }

    [Theory]
    [InlineData(1000, 12)]
    [InlineData(10, 50)]
    [InlineData(120, 50)]
    public void Large_comparisons_stay_below_3_MB(int classes, int heads)
    {
        var html = ComparisonReport.Render(SyntheticComparison.Create(classes, heads, points: 1500), static _ => null);

        Assert.InRange(Encoding.UTF8.GetByteCount(html), 100_000, 3_000_000);
        if (classes > 40)
        {
            Assert.DoesNotContain("<table class=\"confusion", html);
            Assert.Contains("Most frequent confusions", html);
            Assert.Contains("leaves out confusion matrices", html);
        }
    }

    [Fact]
    public void Figures_that_there_are_none_of_are_a_dash()
    {
        var comparison = SyntheticComparison.Create(heads: 2);
        comparison = comparison with
        {
            Heads =
            [
                comparison.Heads[0],
                comparison.Heads[1] with
                {
                    LogLoss = double.NaN,
                    FitSeconds = double.NaN,
                    Accuracy = new(0.5, double.NaN, double.NaN),
                },
            ],
        };

        var html = ComparisonReport.Render(comparison, static _ => null);

        Assert.DoesNotContain("NaN", html.Split("<script")[0]);
        Assert.Contains("<span class=\"none\">–</span>", html);
    }

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    [GeneratedRegex("<section id=\"([^\"]+)\"")]
    private static partial Regex SectionIds();

    [GeneratedRegex("<tr[^>]*><th scope=\"row\"><a href=\"#head-(\\d+)\">(.*?)</tr>", RegexOptions.Singleline)]
    private static partial Regex HeadRows();

    [GeneratedRegex("<data value=\"([^\"]*)\">([^<]*)</data>")]
    private static partial Regex Data();
}
