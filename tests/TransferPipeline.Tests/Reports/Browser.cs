using PuppeteerSharp;
using PuppeteerSharp.Media;

namespace TransferPipeline.Tests.Reports;

/// <summary>The system's chromium, driven by PuppeteerSharp; a test that needs it is skipped where there is none.</summary>
internal sealed class Browser
{
    /// <summary>Folder for screenshots, one folder per page; null to take none.</summary>
    private static readonly string? Pictures = Environment.GetEnvironmentVariable("TRANSFER_PICTURES");

    private readonly IPage _page;
    private readonly string? _pictures;

    private Browser(IPage page, string? pictures)
    {
        _page = page;
        _pictures = pictures;
    }

    /// <summary>Opens a page as readers do (wide and light, by keyboard, dark, on a phone, on paper) and reports what happened.</summary>
    public static async Task<PageVisit> OpenAsync(string file, string name)
    {
        if (Chromium() is not { } program)
        {
            Assert.Skip("needs chromium or Google Chrome on PATH");
            throw new InvalidOperationException();
        }

        var pictures = Pictures is null ? null : Directory.CreateDirectory(Path.Combine(Pictures, name)).FullName;
        await using var browser = await Puppeteer.LaunchAsync(
            new LaunchOptions
            {
                ExecutablePath = program,
                Headless = true,
                DefaultViewport = new ViewPortOptions { Width = 1280, Height = 900 },
                Args =
                [
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                ],
            }
        );
        var page = await browser.NewPageAsync();
        page.DefaultTimeout = page.DefaultNavigationTimeout = 120_000;
        return await new Browser(page, pictures).VisitAsync(new Uri(file).AbsoluteUri);
    }

    private static string? Chromium() =>
        (
            from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(
                Path.PathSeparator,
                StringSplitOptions.RemoveEmptyEntries
            )
            from name in (string[])["chromium", "chromium-browser", "google-chrome"]
            let file = Path.Combine(folder, name)
            where File.Exists(file)
            select file
        ).FirstOrDefault();

    private async Task<PageVisit> VisitAsync(string url)
    {
        var (messages, requests, dialogs) = (new List<string>(), new List<string>(), new List<string>());
        _page.Console += (_, e) => messages.Add($"{e.Message.Type}: {e.Message.Text}");
        _page.PageError += (_, e) => messages.Add($"error: {e.Message}");
        _page.Request += (_, e) =>
        {
            if (e.Request.Url != url && !e.Request.Url.StartsWith("data:", StringComparison.Ordinal))
                requests.Add(e.Request.Url);
        };
        _page.Dialog += async (_, e) =>
        {
            dialogs.Add(e.Dialog.Message);
            await e.Dialog.Dismiss();
        };

        await ColorsAsync("light");
        await _page.GoToAsync(url);
        var text = await _page.EvaluateExpressionAsync<string>("document.body.innerText");
        var injected = await _page.EvaluateFunctionAsync<int>(PageScripts.Injected);
        var nameless = await _page.EvaluateFunctionAsync<string[]>(PageScripts.Nameless);
        await PictureAsync("light");
        var tabStops = await TabStopsAsync();
        var sorted = await SortAsync();
        var map = await ExploreMapAsync();
        var wrongShown = await FilterAsync();

        await _page.EvaluateExpressionAsync("scrollTo(0, 0)");
        var faintLight = await _page.EvaluateFunctionAsync<string[]>(PageScripts.Faint);
        await ColorsAsync("dark");
        var faintDark = await _page.EvaluateFunctionAsync<string[]>(PageScripts.Faint);
        await PictureAsync("dark");

        await ColorsAsync("light");
        await _page.SetViewportAsync(new ViewPortOptions { Width = 390, Height = 844 });
        var phoneScrollWidth = await _page.EvaluateExpressionAsync<int>("document.documentElement.scrollWidth");
        var widest = await _page.EvaluateFunctionAsync<string>(PageScripts.WiderThanPage);
        await PictureAsync("phone");

        await _page.SetViewportAsync(new ViewPortOptions { Width = 718, Height = 1000 });
        await _page.EmulateMediaTypeAsync(MediaType.Print);
        var printedCalibration = await _page.EvaluateExpressionAsync<int>(
            "Math.round(document.querySelector('.side > svg')?.getBoundingClientRect().width ?? 0)"
        );
        var printedWidth = await _page.EvaluateExpressionAsync<int>("document.documentElement.scrollWidth");
        await PictureAsync("print");
        await _page.EmulateMediaTypeAsync(MediaType.None);
        await _page.SetViewportAsync(new ViewPortOptions { Width = 1280, Height = 900 });
        var pdf = await _page.PdfDataAsync(new PdfOptions { Format = PaperFormat.A4 });
        if (_pictures is not null)
            await File.WriteAllBytesAsync(Path.Combine(_pictures, "page.pdf"), pdf);

        return new(
            messages,
            requests,
            dialogs,
            text,
            injected,
            nameless,
            tabStops,
            sorted,
            map,
            wrongShown,
            faintLight,
            faintDark,
            phoneScrollWidth,
            widest,
            printedCalibration,
            printedWidth,
            pdf.Length
        );
    }

    private Task ColorsAsync(string scheme) =>
        _page.EmulateMediaFeaturesAsync([
            new MediaFeatureValue { MediaFeature = MediaFeature.PrefersColorScheme, Value = scheme },
            new MediaFeatureValue { MediaFeature = MediaFeature.PrefersReducedMotion, Value = "reduce" },
        ]);

    private async Task PictureAsync(string name)
    {
        if (_pictures is null)
            return;
        await _page.ScreenshotAsync(Path.Combine(_pictures, $"{name}.png"));
        await _page.ScreenshotAsync(Path.Combine(_pictures, $"{name}-full.png"), new ScreenshotOptions { FullPage = true });
    }

    /// <summary>What each press of Tab reaches.</summary>
    private async Task<IReadOnlyList<string>> TabStopsAsync()
    {
        var stops = new List<string>();
        for (var i = 0; i < 400; i++)
        {
            await _page.Keyboard.PressAsync("Tab");
            var stop = await _page.EvaluateFunctionAsync<string>(PageScripts.FocusedElement);
            if (stop.Length == 0)
                break;
            stops.Add(stop);
        }

        return [.. stops.Distinct()];
    }

    /// <summary>The directions after each of two presses on the first column's heading; null where the page has no such table.</summary>
    private async Task<string?> SortAsync()
    {
        if (await _page.QuerySelectorAsync("table.heads th.n .sort") is null)
            return null;
        var directions = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            await _page.FocusAsync("table.heads th.n .sort");
            await _page.Keyboard.PressAsync("Enter");
            directions.Add(
                await _page.EvaluateExpressionAsync<string>(
                    "document.querySelector('table.heads th[aria-sort]')?.getAttribute('aria-sort')"
                )
            );
        }

        return string.Join(',', directions);
    }

    private async Task<MapVisit?> ExploreMapAsync()
    {
        if (await _page.EvaluateFunctionHandleAsync(PageScripts.VisibleMap) is not IElementHandle map)
            return null;
        var mark = (await map.QuerySelectorAsync(".mark"))!;
        await mark.HoverAsync();
        var tipShown = await IsTipVisibleAsync();
        if (_pictures is not null)
            await (await _page.QuerySelectorAsync("#map"))!.ScreenshotAsync(Path.Combine(_pictures, "map.png"));
        await _page.Mouse.MoveAsync(0, 0);
        await map.FocusAsync();
        var walked = new HashSet<string?>();
        foreach (var key in (string[])["ArrowRight", "ArrowUp", "ArrowUp"])
        {
            await _page.Keyboard.PressAsync(key);
            walked.Add(await _page.EvaluateExpressionAsync<string?>("document.querySelector('.mark.here')?.dataset.i"));
        }

        var tipByKeyboard = await IsTipVisibleAsync();
        await _page.Keyboard.PressAsync("Escape");
        var tipAfterEscape = await IsTipVisibleAsync();
        await _page.FocusAsync("[role=tab]");
        await _page.Keyboard.PressAsync("ArrowRight");
        var secondTab = await _page.EvaluateExpressionAsync<string?>(
            "document.querySelectorAll('[role=tab]')[1]?.getAttribute('aria-selected')"
        );
        return new(tipShown, walked.Count, tipByKeyboard, tipAfterEscape, secondTab == "true");
    }

    private async Task<bool> IsTipVisibleAsync() => await (await _page.QuerySelectorAsync("#tip"))!.IsVisibleAsync();

    /// <summary>How many photos are shown after the filter for wrong predictions was chosen; null where the page has no filter.</summary>
    private async Task<int?> FilterAsync()
    {
        if (await _page.QuerySelectorAsync("[data-filter=right]") is null)
            return null;
        await _page.SelectAsync("[data-filter=right]", "no");
        var shown = await _page.EvaluateExpressionAsync<int>(
            "[...document.querySelectorAll('#grid > li')].filter(e => e.getClientRects().length).length"
        );
        await _page.SelectAsync("[data-filter=right]", "");
        return shown;
    }
}

/// <summary>What a reader of a page met.</summary>
/// <param name="Messages">Lines of the console and errors of scripts.</param>
/// <param name="Requests">Addresses requested beyond the page itself.</param>
/// <param name="Injected">Elements and scripts that only names and labels can have brought in.</param>
/// <param name="Nameless">Elements without a name that a screen reader could read out.</param>
/// <param name="FaintLight">Texts whose contrast to what is under them is below 4.5:1, in light colors.</param>
/// <param name="WiderThanPhone">The first elements that reach beyond a screen of 390 pixels.</param>
internal sealed record PageVisit(
    IReadOnlyList<string> Messages,
    IReadOnlyList<string> Requests,
    IReadOnlyList<string> Dialogs,
    string Text,
    int Injected,
    IReadOnlyList<string> Nameless,
    IReadOnlyList<string> TabStops,
    string? Sorted,
    MapVisit? Map,
    int? WrongShown,
    IReadOnlyList<string> FaintLight,
    IReadOnlyList<string> FaintDark,
    int PhoneScrollWidth,
    string WiderThanPhone,
    int PrintedCalibration,
    int PrintedWidth,
    int PdfBytes
);

/// <summary>What happened on the map of the features.</summary>
/// <param name="Walked">Different marks reached by three arrow keys.</param>
internal sealed record MapVisit(bool TipShown, int Walked, bool TipByKeyboard, bool TipAfterEscape, bool SecondTab);
