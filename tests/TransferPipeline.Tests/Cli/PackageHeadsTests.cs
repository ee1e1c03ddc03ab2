using System.Text.Json.Nodes;
using TransferPipeline.Platform;

namespace TransferPipeline.Tests.Cli;

/// <summary>The heads of ML.NET and TorchSharp through the command, on the repository's photos; and a program without libtorch.</summary>
public sealed class PackageHeadsTests : IDisposable
{
    private static readonly string[] Names =
    [
        "mlnet-sdca-maximum-entropy",
        "mlnet-lbfgs-maximum-entropy",
        "mlnet-linear-svm",
        "mlnet-averaged-perceptron",
        "mlnet-sdca-logistic-regression",
        "mlnet-fast-forest",
        "mlnet-fast-tree",
        "mlnet-light-gbm",
        "torch-linear",
        "torch-mlp",
    ];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_WithEveryHeadOfPackages_ComparesReportsAndExports()
    {
        var available = JsonNode
            .Parse(TransferProcess.Run("heads", "--json").Output)!
            .AsArray()
            .Where(h => h!["available"]!.GetValue<bool>());
        if (Names.Except(available.Select(h => h!["name"]!.GetValue<string>())).ToArray() is { Length: > 0 } missing)
            Assert.Skip($"not available here: {string.Join(", ", missing)}");
        var result = TransferProcess.RunIn(
            SharedData.Repository,
            null,
            "run",
            "pipelines/clothing-sample.yaml",
            "--out",
            _folder.At("out"),
            "--set",
            "report=report.html",
            "--set",
            $"heads=[{string.Join(", ", Names)}]"
        );
        Assert.True(result.ExitCode == 0, result.Error);

        var heads = JsonNode.Parse(File.ReadAllText(_folder.At("out/comparison.json")))!["heads"]!.AsArray();
        Assert.Equal(Names, heads.Select(h => h!["name"]!.GetValue<string>()));

        // Trees have 24 photos of a class to learn from.
        Assert.All(heads, h => Assert.InRange(h!["accuracy"]!.GetValue<double>(), 0.55, 0.95));
        var report = File.ReadAllText(_folder.At("out/report.html"));
        Assert.All(Names, name => Assert.Contains(name, report, StringComparison.Ordinal));

        // Its probabilities were compared with the head's own before it was written.
        var predicted = TransferProcess.Run(
            "predict",
            _folder.At("out/classifier.onnx"),
            SamplePhotos.Photos("validation", "pants").First(),
            "--json"
        );
        Assert.True(predicted.ExitCode == 0, predicted.Error);
        Assert.Contains("pants", predicted.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Program_WithoutLibtorch_NamesWhatIsMissingAndUsesTheRest()
    {
        if (NativePackages.Platform != "linux-x64")
            Assert.Skip("file names are those of Linux, and Linux on Arm has neither libtorch nor LightGBM");
        var program = WithoutTorch();
        var listed = TransferProcess.RunProgram(program, _folder.Root, NoPackages, ["heads", "--json"]);
        Assert.True(listed.ExitCode == 0, listed.Error);
        var heads = JsonNode.Parse(listed.Output)!.AsArray();
        Assert.Equal(
            ["torch-linear", "torch-mlp"],
            heads.Where(h => !h!["available"]!.GetValue<bool>()).Select(h => h!["name"]!.GetValue<string>())
        );
        Assert.StartsWith(
            "libtorch is not beside this program (libc10.so is missing): 'dotnet package download libtorch-cpu-linux-",
            heads[^1]!["unavailable"]!.GetValue<string>(),
            StringComparison.Ordinal
        );

        var set = SyntheticFeatureSet.Write(_folder.At("random"), SyntheticFeatureSet.Photos(20, ["cat", "dog"], "train", "validation"));
        var torch = TransferProcess.RunProgram(
            program,
            _folder.Root,
            NoPackages,
            ["compare", "--features", set, "--heads", "torch-linear"]
        );
        Assert.Equal((2, ""), (torch.ExitCode, torch.Output));
        Assert.Contains("torch-linear is unavailable: libtorch is not beside this program", torch.LastErrorLine, StringComparison.Ordinal);
        Assert.Equal(
            0,
            TransferProcess
                .RunProgram(
                    program,
                    _folder.Root,
                    NoPackages,
                    ["compare", "--features", set, "--heads", "mlnet-light-gbm,mlnet-linear-svm"]
                )
                .ExitCode
        );
    }

    /// <summary>As on Linux on Arm, where no package would help.</summary>
    [Fact]
    public void Heads_WhereTorchSharpHasNoLibrary_NamesNoCure()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("file names are those of Linux");
        var listed = TransferProcess.RunProgram(WithoutTorch("libLibTorchSharp.so"), _folder.Root, NoPackages, ["heads", "--json"]);
        Assert.Equal(
            $"TorchSharp has no libtorch for {NativePackages.Platform} (libLibTorchSharp.so is missing); linear-sgd and mlp do without",
            JsonNode.Parse(listed.Output)!.AsArray()[^1]!["unavailable"]!.GetValue<string>()
        );
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Program_WithLibtorchInANamedFolderOrInNuGetsFolder_TrainsItsHeads(bool named)
    {
        if (NativePackages.Platform != "linux-x64")
            Assert.Skip("file names are those of Linux");
        var packages = _folder.At("packages");
        var native = named
            ? _folder.At("natives")
            : Path.Combine(packages, "libtorch-cpu-linux-x64", "2.10.0", "runtimes", "linux-x64", "native");
        Directory.CreateDirectory(native);
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory, "lib*.so*", SearchOption.AllDirectories))
        {
            if (
                Path.GetFileName(file) is var name
                && (name is "libtorch.so" or "libtorch_cpu.so" or "libc10.so" || name.StartsWith("libgomp-", StringComparison.Ordinal))
            )
                File.CreateSymbolicLink(Path.Combine(native, name), file);
        }

        var set = SyntheticFeatureSet.Write(_folder.At("random"), SyntheticFeatureSet.Photos(20, ["cat", "dog"], "train", "validation"));
        var environment = new Dictionary<string, string> { ["NUGET_PACKAGES"] = packages };
        if (named)
            environment[NativePackages.Variable] = native;
        string[] command = ["compare", "--features", set, "--heads", "torch-linear:epochs=2"];
        var result = TransferProcess.RunProgram(WithoutTorch(), _folder.Root, environment, command);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("torch-linear", result.Output, StringComparison.Ordinal);
    }

    /// <summary>Without the package folder of the machine that tests, which has what the build needs.</summary>
    private Dictionary<string, string> NoPackages => new() { ["NUGET_PACKAGES"] = _folder.At("none") };

    /// <summary>
    /// The program in a folder of its own, with links to all its libraries but those of libtorch; the host follows links of its own files
    /// only.
    /// </summary>
    /// <param name="other">A library that it lacks too.</param>
    private string WithoutTorch(string? other = null)
    {
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories))
        {
            var (name, target) = (
                Path.GetFileName(file),
                _folder.At(Path.Combine("program", Path.GetRelativePath(AppContext.BaseDirectory, file)))
            );
            if (name is "libtorch.so" or "libtorch_cpu.so" or "libc10.so" || name == other)
                continue;
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (name.StartsWith("transfer", StringComparison.Ordinal) || name.StartsWith("TransferPipeline", StringComparison.Ordinal))
                File.Copy(file, target);
            else
                File.CreateSymbolicLink(target, file);
        }

        return _folder.At("program/transfer");
    }
}
