using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using TransferPipeline.Cli.Commands;

namespace TransferPipeline.Cli;

/// <summary>The usual help, with examples that can be typed at its end.</summary>
internal sealed class HelpWithExamples : SynchronousCommandLineAction
{
    private readonly HelpAction _usual = new();

    /// <summary>With --help, a missing required option is no error.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = _usual.Invoke(parseResult);
        if (CommandTable.Examples(CommandLine.HelpPath(parseResult)) is not { Count: > 0 } examples)
            return code;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine(examples.Count == 1 ? "Example:" : "Examples:");
        foreach (var example in examples)
            output.WriteLine("  " + example);
        return code;
    }
}
