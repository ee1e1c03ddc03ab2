using System.Diagnostics;
using System.Text.RegularExpressions;

namespace TransferPipeline.Tests.Cli;

/// <summary>
/// The README's commands, run as they stand in a folder that has what they name, and its sample of output beside the real one.
/// </summary>
public sealed partial class ReadmeTests : IDisposable
{
    private static readonly string Readme = File.ReadAllText(Path.Combine(SharedData.Repository, "README.md"));
    private readonly TempFolder _folder = new();

    public ReadmeTests()
    {
        foreach (var name in new[] { "pipelines", "samples", "models" })
            Directory.CreateSymbolicLink(_folder.At(name), Path.Combine(SharedData.Repository, name));
        Directory.CreateSymbolicLink(_folder.At("bin"), AppContext.BaseDirectory);
        SamplePhotos.Copy(_folder.At("PHOTOS"), 6, "dress", "hat", "shoes");
        File.Copy(SamplePhotos.Photos("validation", "pants").First(), _folder.At("PHOTO.jpg"));
        File.Copy(Path.Combine(SharedData.Repository, "models", "efficientnet-lite0.onnx"), _folder.At("FILE.onnx"));
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Readme_EveryCommandAndTheOutputShown_AreReal()
    {
        var main = Shell("bin/transfer run pipelines/clothing-sample.yaml");
        Assert.Equal(0, main.ExitCode);
        // Another decoder gives other vectors, so the figures are those of the npm set.
        Assert.Equal(Comparable(OutputSample().Match(Readme).Groups[1].Value), Comparable(main.Output));
        var commands = Commands().Matches(Readme).Select(m => m.Groups[1].Value + m.Groups[2].Value).ToArray();
        Assert.True(commands.Length >= 9, string.Join('\n', commands));
        foreach (var command in commands)
        {
            var result = Shell(command);
            Assert.True(result.ExitCode == 0, $"{command}: exit code {result.ExitCode}: {result.Error}");
            Assert.NotEmpty(result.Output);
        }
    }

    [Fact]
    public void Readme_EveryTargetOfMake_IsThere()
    {
        var makefile = File.ReadAllText(Path.Combine(SharedData.Repository, "Makefile"));
        var targets = MakeTargets().Matches(Readme).Select(m => m.Groups[1].Value).Distinct().ToArray();
        Assert.Contains("run", targets);
        Assert.All(targets, target => Assert.Matches($"(?m)^{target}:", makefile));
    }

    /// <summary>Without times, padding and the widths of lines, which the times decide on.</summary>
    private static string[] Comparable(string text) =>
        [
            .. text.Replace("bin/transfer", "transfer", StringComparison.Ordinal)
                .Split('\n')
                .Select(line => Spaces().Replace(Rule().Replace(Time().Replace(line, "TIME"), "-"), " ").Trim())
                .Where(line => line.Length > 0),
        ];

    private TransferResult Shell(string command)
    {
        UnixTools.Require();
        using var process = Process.Start(
            new ProcessStartInfo("/bin/sh", ["-c", command])
            {
                WorkingDirectory = _folder.Root,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitToEnd();
        return new(process.ExitCode, output, error.Result);
    }

    [GeneratedRegex("<!-- output of make run -->\n```\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex OutputSample();

    /// <summary>Indented lines, and code between backquotes.</summary>
    [GeneratedRegex("^    (bin/transfer .*)$|`(bin/transfer [^`]*)`", RegexOptions.Multiline)]
    private static partial Regex Commands();

    [GeneratedRegex("(?:^    |`)make ([a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex MakeTargets();

    [GeneratedRegex(@"\d[\d.]* (µs|ms|s|min)\b")]
    private static partial Regex Time();

    [GeneratedRegex("─+")]
    private static partial Regex Rule();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
