using System.Diagnostics;
using System.Runtime.Versioning;

namespace TransferPipeline.Tests.Packages;

/// <summary>build/select-packages as make calls it, in a copy of the build's files and with a package source made here.</summary>
[SupportedOSPlatform("linux")]
public sealed class SelectPackagesTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly PackageSource _source;

    public SelectPackagesTests()
    {
        _source = new PackageSource(_folder.At("source"));
        foreach (var file in new[] { "global.json", "Directory.Build.props", "Directory.Packages.props", "build/select-packages", "build/probe/Probe.csproj", "build/probe/named.awk" })
            File.Copy(Path.Combine(SharedData.Repository, file), _folder.At(file));
        _folder.Write("nuget.config", $"<configuration><packageSources><clear /><add key=\"here\" value=\"{_source.Folder}\" /></packageSources></configuration>");

        // Neither npm nor what it would fetch is needed to decide.
        _folder.Write("build/package-lock.json", "{}");
        _folder.Write("build/node_modules/.transfer-lock", "{}");
        AddTool("node", "exit 0");
        AddTool("npm", "exit 0");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Source_WithEveryPackage_GivesTheCardSet()
    {
        _source.FillBut();
        Assert.Equal((0, "package set: card"), Select());
        Assert.Equal("card", Selected());
    }

    [Fact]
    public void Source_WithoutSomeOrWithOtherVersions_GivesTheNpmSetAndNamesThem()
    {
        _source.FillBut("SixLabors.ImageSharp", "Parquet.Net").Add("Parquet.Net", "6.1.0");
        const string Lacking = "the package source lacks Parquet.Net 5.6.1 (it has 6.1.0), SixLabors.ImageSharp 3.1.12";
        Assert.Equal((0, $"package set: npm, since {Lacking}"), Select());
        Assert.Equal("npm", Selected());
        Assert.Equal((1, $"TRANSFER_PACKAGES=card, but {Lacking}"), Select("TRANSFER_PACKAGES=card"));
        Assert.Equal("npm", Selected());
    }

    [Fact]
    public void Source_WithNewerPatchesAndDependencies_GivesTheCardSetAndSaysSo()
    {
        _source.FillBut("SixLabors.ImageSharp", "TorchSharp-cpu").Add("SixLabors.ImageSharp", "3.1.14")
            .Add("TorchSharp-cpu", "0.106.0", ("SharpZipLib", "1.4.0")).Add("SharpZipLib", "1.4.1");
        var (code, said) = Select();
        Assert.Equal(0, code);
        Assert.StartsWith("package set: card, though the package source lacks ", said, StringComparison.Ordinal);
        Assert.Contains("SixLabors.ImageSharp 3.1.12 (it has 3.1.14)", said, StringComparison.Ordinal);
        Assert.Contains("SharpZipLib 1.4.0 (it has 1.4.1)", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Source_WhosePackageNeedsMoreThanIsPinned_GivesTheNpmSet()
    {
        _source.FillBut("Microsoft.ML").Add("Microsoft.ML", "5.0.0", ("System.Numerics.Tensors", "10.0.1")).Add("System.Numerics.Tensors", "10.0.1");
        Assert.Equal((0, "package set: npm, since the package source lacks System.Numerics.Tensors 10.0.1 (pinned to 9.0.23)"), Select());
    }

    [Fact]
    public void Source_ThatIsNotThere_GivesTheNpmSetWithTheFirstError()
    {
        Directory.Delete(_source.Folder);
        var (code, said) = Select();
        Assert.Equal(0, code);
        Assert.Matches("^package set: npm, since the card packages cannot be restored: NU1301: [^\n]+$", said);
    }

    /// <summary>An answer is kept, but not for other packages, and a forced set does not stay.</summary>
    [Fact]
    public void Choice_IsMadeAnewWhenWhatItDependsOnChanges()
    {
        _source.FillBut();
        Assert.Equal((0, "package set: card"), Select());
        Assert.Equal((0, "package set: npm"), Select("TRANSFER_PACKAGES=npm"));
        Directory.Delete(_source.Folder, recursive: true);
        Assert.Equal((0, "package set: card"), Select());
        new PackageSource(_source.Folder).FillBut("TorchSharp-cpu");
        Assert.Equal(
            (1, "TRANSFER_PACKAGES=card, but the package source lacks Microsoft.ML.OnnxRuntime.Gpu 1.29.0, TorchSharp-cuda-linux 0.106.0"),
            Select("GPU=1", "TRANSFER_PACKAGES=card"));
        Assert.Equal((1, "TRANSFER_PACKAGES is 'cards', expected card or npm."), Select("TRANSFER_PACKAGES=cards"));
    }

    [Fact]
    public void CardSet_WhenNpmFails_GoesOnWithoutComparisons()
    {
        _source.FillBut();
        _folder.Write("build/package-lock.json", "{ }");
        AddTool("npm", "echo 'no network' >&2; exit 1");
        var (code, said) = Select();
        Assert.Equal(0, code);
        Assert.Equal("""
            fetching the native libraries (npm ci)
            no network
            npm ci failed in build/ (see the lines above), so no comparison with libvips and DuckDB, and no tests of it or in a browser
            package set: card
            """, said);
        Assert.Equal((1, "fetching the native libraries (npm ci)\nno network\nnpm ci failed in build/; see the lines above."), Select("TRANSFER_PACKAGES=npm"));
    }

    private string Selected() => File.ReadAllText(_folder.At("build/packages.selected")).Trim();

    private void AddTool(string name, string script) =>
        File.SetUnixFileMode(_folder.Write($"tools/{name}", $"#!/bin/sh\n{script}\n"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    /// <summary>Its exit code and what it said.</summary>
    private (int Code, string Said) Select(params string[] variables)
    {
        var start = new ProcessStartInfo("sh", [_folder.At("build/select-packages")]) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var name in start.Environment.Keys.Where(n => n is "GPU" or "TRANSFER_PACKAGES" || (n.StartsWith("Restore", StringComparison.OrdinalIgnoreCase) && n.EndsWith("Sources", StringComparison.OrdinalIgnoreCase))).ToArray())
            start.Environment.Remove(name);
        start.Environment["NUGET_PACKAGES"] = _folder.At("cache");
        start.Environment["PATH"] = $"{_folder.At("tools")}:{start.Environment["PATH"]}";
        foreach (var variable in variables.Select(v => v.Split('=', 2)))
            start.Environment[variable[0]] = variable[1];
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", process.StandardOutput.ReadToEnd());
        process.WaitForExit();
        return (process.ExitCode, errors.Result.Trim());
    }
}
