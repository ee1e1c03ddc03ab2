using System.Text.Json;
using TransferPipeline.Reports;
using TransferPipeline.Reports.Thumbnails;
using TransferPipeline.Tests.Images;

namespace TransferPipeline.Tests.Reports;

public sealed class BrowserTests
{
    private static readonly ThumbnailMaker Maker = new(TestDecoder.Create(), TestDecoder.CreateEncoder());

    private static string[] SamplePhotos { get; } =
        [.. Directory.GetFiles(Path.Combine(SharedData.Repository, "samples", "clothing"), "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    [Fact]
    public void A_report_with_hostile_names_opens_without_error_request_or_script()
    {
        using var folder = new TempFolder();
        var file = folder.At("report.html");
        ComparisonReport.Write(file, MadeUpComparison.Create(names: MadeUpComparison.HostileClasses, featureSets: 2), SamplePhoto);

        var seen = Browser.Open(file, "hostile");

        IsQuietAndOffline(seen);
        Assert.Contains(MadeUpComparison.Script, seen.GetProperty("text").GetString());
        Assert.Equal(0, seen.GetProperty("injected").GetInt32());
        FitsThePhone(seen);
        CanBeReadByAll(seen);
        Assert.True(seen.GetProperty("map").GetProperty("tipShown").GetBoolean());
        Assert.Equal("true", seen.GetProperty("map").GetProperty("secondTab").GetString());
        Assert.True(seen.GetProperty("pdfBytes").GetInt32() > 50_000);
        Assert.InRange(seen.GetProperty("printedCalibration").GetInt32(), 200, 360);
        Assert.InRange(seen.GetProperty("printedWidth").GetInt32(), 1, 718);
    }

    [Fact]
    public void The_keyboard_reaches_links_sorting_folds_and_map()
    {
        using var folder = new TempFolder();
        var file = folder.At("report.html");
        ComparisonReport.Write(file, MadeUpComparison.Create(), SamplePhoto);

        var seen = Browser.Open(file, "plain");

        var stops = seen.GetProperty("tabStops").EnumerateArray().Select(s => s.GetString()!).ToArray();
        Assert.Equal("a.skip", stops[0]);
        Assert.Contains("button.sort", stops);
        Assert.Contains("summary", stops);
        Assert.Contains("button[tab]", stops);
        Assert.Contains("button[class]", stops);
        Assert.Contains("svg.map", stops);
        var map = seen.GetProperty("map");
        Assert.Equal(3, map.GetProperty("walked").GetInt32());
        Assert.True(map.GetProperty("tipByKeyboard").GetBoolean());
        Assert.False(map.GetProperty("tipAfterEscape").GetBoolean());
        CanBeReadByAll(seen);
        Assert.Equal("descending,ascending", seen.GetProperty("sorted").GetString());
        IsQuietAndOffline(seen);
    }

    [Fact]
    public void A_report_of_a_thousand_classes_opens_and_fits_a_phone()
    {
        using var folder = new TempFolder();
        var file = folder.At("report.html");
        ComparisonReport.Write(file, MadeUpComparison.Create(classes: 1000, heads: 12, points: 1500), static _ => null);

        var seen = Browser.Open(file, "thousand");

        IsQuietAndOffline(seen);
        FitsThePhone(seen);
    }

    [Fact]
    public void Predictions_can_be_filtered()
    {
        using var folder = new TempFolder();
        var file = folder.At("predictions.html");
        PredictionsPage.Write(file, "classifier.onnx", PagePhotos.Of(PredictionsPageTests.Photos), SamplePhoto);

        var seen = Browser.Open(file, "predictions");

        IsQuietAndOffline(seen);
        FitsThePhone(seen);
        CanBeReadByAll(seen);
        Assert.Equal(PredictionsPageTests.Photos.Count(p => p.IsRight == false), seen.GetProperty("wrongShown").GetInt32());
    }

    private static void IsQuietAndOffline(JsonElement seen)
    {
        Assert.Equal("[]", seen.GetProperty("messages").GetRawText());
        Assert.Equal("[]", seen.GetProperty("requests").GetRawText());
        Assert.Equal("[]", seen.GetProperty("dialogs").GetRawText());
    }

    /// <summary>What screen readers read out has a name that tells it from others, and texts stand out from what is under them, in light and dark.</summary>
    private static void CanBeReadByAll(JsonElement seen)
    {
        Assert.Equal("[]", seen.GetProperty("nameless").GetRawText());
        Assert.Equal("[]", seen.GetProperty("faintLight").GetRawText());
        Assert.Equal("[]", seen.GetProperty("faintDark").GetRawText());
    }

    private static void FitsThePhone(JsonElement seen) =>
        Assert.True(seen.GetProperty("phoneScrollWidth").GetInt32() <= 390, $"the page is {seen.GetProperty("phoneScrollWidth").GetInt32()} px wide on a phone of 390 px; widest: {seen.GetProperty("widest").GetString()}");

    /// <summary>Some photo for each path, so that made-up paths have pictures.</summary>
    private static byte[]? SamplePhoto(string path)
    {
        var hash = 0;
        foreach (var c in path)
            hash = unchecked((hash * 31) + c);
        return hash % 11 == 0 ? null : Maker.Make(File.ReadAllBytes(SamplePhotos[(uint)hash % SamplePhotos.Length]));
    }
}
