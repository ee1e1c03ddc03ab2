using System.Diagnostics;

namespace TransferPipeline.Tests.Cli;

/// <summary>What shells complete, by the command's answer and in the shells themselves.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("transfer comp", "compare", "completion")]
    [InlineData("transfer features ver", "verify")]
    [InlineData("transfer compare --fold", "--folds")]
    [InlineData("transfer heads nearest", "nearest-mean")]
    [InlineData("transfer train --head linear-", "linear-svm", "linear-sgd", "mlnet-linear-svm")]
    [InlineData("transfer compare --features set --heads softmax,nearest", "softmax,nearest-mean")]
    [InlineData("transfer extract --model efficientnet-lite0-", "efficientnet-lite0-int8")]
    [InlineData("transfer models pull resnet", "resnet18", "resnet50", "mlnet-resnet18")]
    [InlineData("transfer completion z", "zsh")]
    [InlineData("transfer run pipelines/")]
    [InlineData("transfer run ")]
    [InlineData("transfer train --head=linear-", "--head=linear-svm", "--head=linear-sgd", "--head=mlnet-linear-svm")]
    [InlineData("transfer compare --heads:softmax,nearest", "--heads:softmax,nearest-mean")]
    [InlineData("transfer compare --features 'my set' --he", "--heads", "--help")]
    [InlineData("transfer compare --features \"my set\" --heads nearest", "nearest-mean")]
    [InlineData("transfer compare --features a --features b --few", "--few-shot")]
    [InlineData("transfer train --seed 3 --json --se", "--set")]
    public void Suggest_Offers(string line, params string[] expected)
    {
        var result = TransferProcess.Run($"[suggest:{line.Length}]", line);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Equal(expected.Order(StringComparer.Ordinal), Lines(result.Output).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Suggest_InTheMiddleOfALine_CompletesWhatIsBeforeIt()
    {
        var result = TransferProcess.Run("[suggest:13]", "transfer head --json");
        Assert.Equal(["heads"], Lines(result.Output));
    }

    [Fact]
    public void Bash_CompletesCommandsAndHeads()
    {
        Assert.Equal(["compare", "completion"], Bash("transfer comp").Order(StringComparer.Ordinal));
        Assert.Equal(["softmax,nearest-mean"], Bash("transfer compare --heads softmax,nearest"));
    }

    [Fact]
    public void Fish_CompletesCommands()
    {
        var script = Script("fish");
        var output = Shell("fish", ["-c", $"set PATH {AppContext.BaseDirectory} $PATH; source {script}; complete -C 'transfer comp'"]);
        Assert.Equal(["compare", "completion"], Lines(output).Order(StringComparer.Ordinal));
    }

    /// <summary>With the key Tab in a terminal, behind another command and with a path before the program's name.</summary>
    [Theory]
    [InlineData("bash", "bash --norc --noprofile -i")]
    [InlineData("zsh", "zsh -f -i")]
    [InlineData("fish", "fish --no-config -i")]
    public void Tab_Completes(string shell, string command)
    {
        Require(shell);
        var initialize = shell == "zsh" ? "autoload -U compinit; compinit -D -u; " : "";
        var path = shell == "fish" ? $"set PATH {AppContext.BaseDirectory} $PATH" : $"PATH={AppContext.BaseDirectory}:$PATH";
        // A terminal of zsh's own. What it prints is read until the word is whole, for 20 seconds.
        var driver = _folder.At("driver.zsh");
        File.WriteAllText(
            driver,
            $$"""
            zmodload zsh/zpty
            zpty -b -e terminal 'stty columns 1000; TERM=dumb {{command}}'
            zpty -w terminal '{{path}}; {{initialize}}source {{Script(shell)}}; echo REA""DY'
            text=
            wait-for() {
              for _ in {1..200}; do
                while zpty -r -t terminal line; do text+=$line; done
                [[ $text = *$1* ]] && return
                sleep 0.1
              done
              print -r -- "no '$1' in: $text"; exit 1
            }
            wait-for READY
            zpty -w -n terminal $'echo one; transfer completi\t'
            wait-for 'transfer completion'
            zpty -w terminal ' none'
            zpty -w -n terminal $'transfer compare --features "a b" --heads softmax,nearest\t'
            wait-for 'softmax,nearest-mean'
            """
        );
        Shell("zsh", ["-f", driver]);
    }

    [Fact]
    public void PowerShell_CompletesCommandsAndHeads()
    {
        var command =
            $"$env:PATH = '{AppContext.BaseDirectory}' + [IO.Path]::PathSeparator + $env:PATH; . '{Script("powershell")}.ps1'; "
            + "foreach ($line in 'transfer comp', 'transfer train --head linear-', 'transfer models ', "
            + $"'Get-Date; {TransferProcess.Executable} comp') "
            + "{ (TabExpansion2 -inputScript $line -cursorColumn $line.Length).CompletionMatches.CompletionText -join ' ' }";
        File.Copy(_folder.At("transfer.powershell"), _folder.At("transfer.powershell.ps1"));
        var lines = Lines(Shell("pwsh", ["-NoProfile", "-NonInteractive", "-Command", command]));
        Assert.Equal(["compare completion", "linear-sgd linear-svm"], lines[..2]);
        Assert.Contains("quantize", lines[2], StringComparison.Ordinal);
        Assert.Equal("compare completion", lines[3]);
    }

    [Fact]
    public void Completion_OfAnUnknownShell_NamesThoseThatAreKnown()
    {
        var result = TransferProcess.Run("completion", "fisch");
        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("did you mean 'fish'", result.LastErrorLine, StringComparison.Ordinal);
    }

    /// <summary>What bash would show, by the function that the script registers.</summary>
    private string[] Bash(string line)
    {
        var words = string.Join(' ', line.Split(' ').Select(w => $"'{w}'"));
        return Lines(
            Shell(
                "bash",
                [
                    "-c",
                    $"PATH={AppContext.BaseDirectory}:$PATH; source {Script("bash")}; COMP_LINE='{line}'; COMP_POINT={line.Length}; "
                        + $"COMP_WORDS=({words}); COMP_CWORD={line.Split(' ').Length - 1}; _transfer; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                ]
            )
        );
    }

    private string Script(string shell)
    {
        var result = TransferProcess.Run("completion", shell);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        var file = _folder.At($"transfer.{shell}");
        File.WriteAllText(file, result.Output);
        return file;
    }

    private static string Shell(string program, string[] arguments)
    {
        Require(program);
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.Result + output);
        return output;
    }

    private static void Require(string program) =>
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(p => File.Exists(Path.Combine(p, program))),
            $"{program} is not installed"
        );

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
