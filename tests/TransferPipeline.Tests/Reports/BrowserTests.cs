using TransferPipeline.Reports;
using TransferPipeline.Tests.Images;

namespace TransferPipeline.Tests.Reports;

public sealed class BrowserTests
{
    private static readonly ThumbnailMaker Maker = new(TestDecoder.Create(), TestDecoder.CreateEncoder());

    private static string[] SamplePhotos { get; } =
    [
        .. Directory
            .GetFiles(Path.Combine(SharedData.Repository, "samples", "clothing"), "*.jpg", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal),
    ];

    [Fact]
    public async Task A_report_with_hostile_names_opens_without_error_request_or_script()
    {
        using var folder = new TempFolder();
        var file = folder.At("report.html");
        ComparisonReport.Write(file, SyntheticComparison.Create(names: SyntheticComparison.HostileClasses, featureSets: 2), SamplePhoto);

        var seen = await Browser.OpenAsync(file, "hostile");

        IsQuietAndOffline(seen);
        Assert.Contains(SyntheticComparison.Script, seen.Text);
        Assert.Equal(0, seen.Injected);
        FitsThePhone(seen);
        CanBeReadByAll(seen);
        Assert.True(seen.Map!.TipShown);
        Assert.True(seen.Map.SecondTab);
        Assert.True(seen.PdfBytes > 50_000);
        Assert.InRange(seen.PrintedCalibration, 200, 360);
        Assert.InRange(seen.PrintedWidth, 1, 718);
    }

    [Fact]
    public async Task The_keyboard_reaches_links_sorting_folds_and_map()
    {
        using var folder = new TempFolder();
        var file = folder.At("report.html");
        ComparisonReport.Write(file, SyntheticComparison.Create(), SamplePhoto);

        var seen = await Browser.OpenAsync(file, "plain");

        var stops = seen.TabStops;
        Assert.Equal("a.skip", stops[0]);
        Assert.Contains("button.sort", stops);
        Assert.Contains("summary", stops);
        Assert.Contains("button[tab]", stops);
        Assert.Contains("button[class]", stops);
        Assert.Contains("svg.map", stops);
        Assert.Equal((3, true, false), (seen.Map!.Walked, seen.Map.TipByKeyboard, seen.Map.TipAfterEscape));
        CanBeReadByAll(seen);
        Assert.Equal("descending,ascending", seen.Sorted);
        IsQuietAndOffline(seen);
    }

    [Fact]
    public async Task A_report_of_a_thousand_classes_opens_and_fits_a_phone()
    {
        using var folder = new TempFolder();
        var file = folder.At("report.html");
        ComparisonReport.Write(file, SyntheticComparison.Create(classes: 1000, heads: 12, points: 1500), static _ => null);

        var seen = await Browser.OpenAsync(file, "thousand");

        IsQuietAndOffline(seen);
        FitsThePhone(seen);
    }

    [Fact]
    public async Task Predictions_can_be_filtered()
    {
        using var folder = new TempFolder();
        var file = folder.At("predictions.html");
        PredictionsPage.Write(file, "classifier.onnx", ReportPhotos.Of(PredictionsPageTests.Photos), SamplePhoto);

        var seen = await Browser.OpenAsync(file, "predictions");

        IsQuietAndOffline(seen);
        FitsThePhone(seen);
        CanBeReadByAll(seen);
        Assert.Equal(PredictionsPageTests.Photos.Count(p => p.IsRight == false), seen.WrongShown);
    }

    private static void IsQuietAndOffline(PageVisit seen)
    {
        Assert.Empty(seen.Messages);
        Assert.Empty(seen.Requests);
        Assert.Empty(seen.Dialogs);
    }

    /// <summary>
    /// What screen readers read out has a name that tells it from others, and texts stand out from what is under them, in light and dark.
    /// </summary>
    private static void CanBeReadByAll(PageVisit seen)
    {
        Assert.Empty(seen.Nameless);
        Assert.Empty(seen.FaintLight);
        Assert.Empty(seen.FaintDark);
    }

    private static void FitsThePhone(PageVisit seen) =>
        Assert.True(
            seen.PhoneScrollWidth <= 390,
            $"the page is {seen.PhoneScrollWidth} px wide on a phone of 390 px; widest: {seen.WiderThanPhone}"
        );

    /// <summary>Some photo for each path, so that synthetic paths have pictures.</summary>
    private static byte[]? SamplePhoto(string path)
    {
        var hash = 0;
        foreach (var c in path)
            hash = unchecked((hash * 31) + c);
        return hash % 11 == 0 ? null : Maker.Make(File.ReadAllBytes(SamplePhotos[(uint)hash % SamplePhotos.Length]));
    }
}
