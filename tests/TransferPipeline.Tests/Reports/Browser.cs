using System.Diagnostics;
using System.Text.Json;

namespace TransferPipeline.Tests.Reports;

/// <summary>Debian's chromium, driven by tests/browser/open-page.mjs through playwright-core; a test that needs it is skipped where it is not.</summary>
internal static class Browser
{
    private const string Chromium = "/usr/bin/chromium";

    /// <summary>Folder in which to keep pictures for a look, by the calling test's choice of name; null to take none.</summary>
    private static readonly string? Pictures = Environment.GetEnvironmentVariable("TRANSFER_PICTURES");

    /// <summary>Opens a page as a reader would, in light, dark and phone width, and says what happened.</summary>
    public static JsonElement Open(string page, string name)
    {
        var modules = Path.Combine(SharedData.Repository, "build", "node_modules", "playwright-core");
        if (!File.Exists(Chromium) || !Directory.Exists(modules))
            Assert.Skip("needs chromium and playwright-core");
        using var process = Process.Start(new ProcessStartInfo("node", [Path.Combine(SharedData.Repository, "tests", "browser", "open-page.mjs"), page, Chromium, .. Pictures is null ? Array.Empty<string>() : [Path.Combine(Pictures, name)]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return JsonDocument.Parse(output).RootElement;
    }
}
