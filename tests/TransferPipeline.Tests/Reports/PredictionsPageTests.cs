using System.Text.RegularExpressions;
using TransferPipeline.Reports;

namespace TransferPipeline.Tests.Reports;

public sealed partial class PredictionsPageTests
{
    internal static IReadOnlyList<PredictedPhoto> Photos { get; } =
    [
        .. Enumerable
            .Range(0, 24)
            .Select(i => new PredictedPhoto(
                $"validation/{i % 5}/photo {i}.jpg",
                i % 8 == 7 ? null
                    : i % 5 == 0 ? "hat"
                    : "dress",
                [
                    new("dress", 0.9 - (i * 0.01)),
                    new("hat", 0.08),
                    new(SyntheticComparison.Script, 0.015),
                    new("shoes", 0.004),
                    new("skirt", 0.001),
                    new("sixth", 0.0001),
                ]
            )),
    ];

    [Fact]
    public void Wrong_photos_are_marked_by_words_and_counted()
    {
        var html = PredictionsPage.Render("classifier.onnx", ReportPhotos.Of(Photos), static _ => null);

        Assert.Equal(Photos.Count(p => p.IsRight == false), Count(html, "✗ wrong"));
        Assert.Equal(Photos.Count(p => p.IsRight == true), Count(html, "✓ right"));
        Assert.Contains($"{Photos.Count(p => p.IsRight == true)} of {Photos.Count(p => p.IsRight is not null)} right", html);
    }

    [Fact]
    public void Five_classes_are_shown_with_their_probabilities()
    {
        var html = PredictionsPage.Render("classifier.onnx", ReportPhotos.Of(Photos), static _ => null);

        Assert.Contains("<data value=\"0.9\">0.900</data>", html);
        Assert.DoesNotContain("sixth", html);
        Assert.DoesNotContain(SyntheticComparison.Script, html);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", html);
    }

    [Fact]
    public void Without_labels_nothing_is_called_right_or_wrong()
    {
        var html = PredictionsPage.Render(
            "classifier.onnx",
            ReportPhotos.Of(Photos.Select(p => p with { Label = null })),
            static _ => null
        );

        Assert.DoesNotContain("✗", html);
        Assert.DoesNotContain("<select data-filter=\"right\"", html);
        Assert.Contains("24 photos</h1>", html);
    }

    [Fact]
    public void The_folder_of_all_photos_is_told_once_so_that_their_names_can_be_read()
    {
        var html = PredictionsPage.Render(
            "classifier.onnx",
            ReportPhotos.Of(Photos.Select(p => p with { Path = "/photos/of a trip/" + p.Path })),
            static _ => null
        );

        Assert.Equal(1, Count(html, "<bdi>/photos/of a trip/validation/</bdi>"));
        Assert.Contains("<bdi>3/photo 3.jpg</bdi>", html);
        Assert.Contains("title=\"/photos/of a trip/validation/3/photo 3.jpg\"", html);
    }

    [Fact]
    public void More_photos_than_a_page_holds_are_counted_and_the_telling_ones_shown()
    {
        var html = PredictionsPage.Render("classifier.onnx", ReportPhotos.Of(Photos, most: 10), static _ => null);

        var wrong = Photos.Where(p => p.IsRight == false).ToList();
        var unsure = Photos.Except(wrong).OrderBy(p => p.Top[0].Probability).Take(10 - wrong.Count).ToList();
        Assert.InRange(wrong.Count, 1, 9);
        Assert.Equal(
            Photos.Where(p => wrong.Contains(p) || unsure.Contains(p)).Select(p => p.Path),
            ShownPath().Matches(html).Select(m => m.Groups[1].Value)
        );
        var one = PredictionsPage.Render("classifier.onnx", ReportPhotos.Of(Photos, most: 1), static _ => null);
        Assert.Equal(wrong.MaxBy(p => p.Top[0].Probability)!.Path, ShownPath().Match(one).Groups[1].Value);
        Assert.Contains($"24 photos, {Photos.Count(p => p.IsRight == true)} of {Photos.Count(p => p.IsRight is not null)} right", html);
        Assert.Contains("shows 10 of them: the wrong ones, surest first, then the least sure", html);
    }

    [GeneratedRegex("<p class=\"path\" title=\"([^\"]*)\"")]
    private static partial Regex ShownPath();

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
