using System.CommandLine;
using TransferPipeline.Cli.Completion;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer completion SHELL</c>: prints the script that a shell loads.</summary>
internal static class CompletionCommand
{
    public static Command Create(string name, string summary)
    {
        var shell = new Argument<string>("shell") { Description = $"{string.Join(", ", ShellScripts.Shells)}." };
        shell.CompletionSources.Add(ShellScripts.Shells);
        shell.Validators.Add(result =>
        {
            if (result.Tokens is [var token, ..] && !ShellScripts.Shells.Contains(token.Value))
                result.AddError(
                    $"there is no completion for the shell '{token.Value}'{NearestName.Hint(token.Value, ShellScripts.Shells)} "
                        + $"(shells: {string.Join(", ", ShellScripts.Shells)})"
                );
        });
        var command = new Command(name, summary) { shell };
        command.SetAction(parsed =>
        {
            // Also on Windows: bash takes a carriage return as part of the line.
            Console.Out.Write(ShellScripts.Of(parsed.GetValue(shell)!).ReplaceLineEndings("\n") + "\n");
            return (int)ExitCode.Done;
        });
        return command;
    }
}
