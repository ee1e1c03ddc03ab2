using TransferPipeline.Cli;

namespace TransferPipeline.Tests.Cli;

/// <summary>What `transfer ... --help` says.</summary>
public sealed class HelpTests
{
    public static TheoryData<string> Commands =>
        [
            "",
            "init",
            "run",
            "extract",
            "features show",
            "features verify",
            "features list",
            "features export",
            "features merge",
            "features drift",
            "train",
            "finetune",
            "compare",
            "export",
            "predict",
            "heads",
            "inspect",
            "models list",
            "models pull",
            "models verify",
            "models add",
            "models quantize",
            "data check",
            "doctor",
            "completion",
            "bench extract",
            "bench heads",
        ];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Help_EndsWithExamplesThatParse(string command)
    {
        var help = await Help([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        var lines = help.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var examples = lines[(Array.FindIndex(lines, l => l is "Example:" or "Examples:") + 1)..];
        Assert.NotEmpty(examples);
        Assert.All(
            examples,
            example =>
            {
                Assert.StartsWith($"  transfer {command}", example, StringComparison.Ordinal);
                Assert.True(CommandLine.Parses(DocumentationTests.Arguments(example), out var error), $"{example}: {error}");
            }
        );
    }

    /// <summary>A name in angle brackets that only repeats the option's own says nothing.</summary>
    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Help_EveryOption_SaysWhatItTakes(string command)
    {
        var help = await Help([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.DoesNotMatch(@"--([a-z-]+) <\1>", help);
        Assert.DoesNotMatch(@"(?m)^  --\S+( <\S+>)?( \(REQUIRED\))?\s*$", help);
    }

    /// <summary>Whatever has a result can give it to another program; a shell's script is for the shell alone.</summary>
    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Help_OfWhatHasAResult_HasJson(string command)
    {
        if (command is "" or "completion")
            return;
        Assert.Contains("  --json ", await Help([.. command.Split(' '), "--help"]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("help", "--help")]
    [InlineData("help features drift", "features drift --help")]
    [InlineData("predict -h", "predict --help")]
    public async Task Help_HoweverAskedFor_IsTheSame(string arguments, string usual) =>
        Assert.Equal(await Help(usual.Split(' ')), await Help(arguments.Split(' ')));

    [Fact]
    public void Help_OfNoCommand_SuggestsOne()
    {
        var result = TransferProcess.Run("help", "comapre");
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith(
            "transfer: there is no command 'comapre'; did you mean 'compare'?",
            result.LastErrorLine,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Predict_FolderInPlaceOfTheClassifier_SaysSo()
    {
        var result = TransferProcess.Run("predict", SamplePhotos.Folder, "photo.jpg");
        Assert.Equal((2, $"transfer: {SamplePhotos.Folder}: is a folder; expected an ONNX model"), (result.ExitCode, result.LastErrorLine));
    }

    [Fact]
    public void Predict_NameThatBeginsWithAt_IsAFile()
    {
        var result = TransferProcess.Run("predict", "gone.onnx", "@photo.jpg");
        Assert.Equal("transfer: gone.onnx: no such file; expected an ONNX model", result.LastErrorLine);
    }

    private static async Task<string> Help(string[] arguments)
    {
        var output = new StringWriter { NewLine = "\n" };
        Assert.Equal(0, await CommandLine.RunAsync(arguments, output));
        return output.ToString();
    }
}
