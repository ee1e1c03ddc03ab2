using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using TransferPipeline.Cli.Commands;
using TransferPipeline.Cli.Completion;
using TransferPipeline.Cli.Output;
using TransferPipeline.Platform;

namespace TransferPipeline.Cli;

/// <summary>
/// The `transfer` command: parses, runs, and turns the outcome into an exit code (0 done, 1 failed, 2 wrong usage or input, 130
/// interrupted).
/// </summary>
internal static class CommandLine
{
    /// <param name="output">Where help goes; null for stdout.</param>
    public static async Task<int> RunAsync(string[] args, TextWriter? output = null)
    {
        // Before parsing: the line is one argument, and only its first word shows which command to build.
        if (Completions.AreAskedFor(args))
        {
            try
            {
                return Completions.Write(args, static (words, line) => Create(words).Parse(line), output ?? Console.Out);
            }
            catch (Exception e)
            {
                return Report(e, "");
            }
        }

        // As in git and dotnet: help COMMAND is COMMAND --help.
        if (args is ["help", .. var command])
            args = command is [var name, ..] && !CommandTable.Has(name) ? command : [.. command, "--help"];
        var parsed = Parse(args);
        if (ParseErrors.Find(parsed) is { } problem)
        {
            Messages.Error($"{problem} (see: transfer {HelpPath(parsed)}--help)");
            return (int)ExitCode.Usage;
        }

        using var interrupt = new CancellationTokenSource();
        // A synchronous command takes no token: it ends only with the process.
        var waits = parsed.Action is AsynchronousCommandLineAction;
        using var sigint = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Interrupt(context, interrupt, waits));
        // Clusters and containers send it before they end a job by force.
        using var sigterm = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Interrupt(context, interrupt, waits));
        try
        {
            var configuration = new InvocationConfiguration
            {
                // Report turns exceptions into messages and exit codes.
                EnableDefaultExceptionHandler = false,
                // Signals are handled here; the library's handler would end a command that is still keeping its work.
                ProcessTerminationTimeout = null,
                Output = output ?? Console.Out,
            };
            return await parsed.InvokeAsync(configuration, interrupt.Token);
        }
        catch (Exception e)
        {
            return Report(e, HelpPath(parsed));
        }
    }

    /// <summary>Whether the arguments are of the right form; nothing is run.</summary>
    internal static bool Parses(string[] args, out string? error)
    {
        error = ParseErrors.Find(Parse(args));
        return error is null;
    }

    /// <summary>A name that begins with @ is that of a file, not of one with arguments.</summary>
    private static ParseResult Parse(string[] args) =>
        Create(args).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });

    private static RootCommand Create(string[] args)
    {
        var root = new RootCommand(
            "Trains image classifiers on frozen ImageNet features: photos -> feature set -> heads -> one classifier.onnx."
        );
        foreach (var command in CommandTable.For(args))
            root.Subcommands.Add(command);
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        root.Options.Add(new HelpOption("--help", "-h") { Description = "Show this text.", Action = new HelpWithExamples() });
        return root;
    }

    /// <summary>The names of the command and of those above it, each with a space behind it.</summary>
    internal static string HelpPath(ParseResult parsed)
    {
        var path = "";
        for (
            var result = parsed.CommandResult;
            result is { Command: not RootCommand };
            result = result.Parent as System.CommandLine.Parsing.CommandResult
        )
            path = result.Command.Name + " " + path;
        return path;
    }

    /// <summary>
    /// After the first signal the command stops and keeps what is done; a second one ends the process, and so does the first where a
    /// command has nothing to keep.
    /// </summary>
    private static void Interrupt(PosixSignalContext context, CancellationTokenSource interrupt, bool waits)
    {
        // Cancel stays false, and the system ends the process.
        if (interrupt.IsCancellationRequested)
            return;
        context.Cancel = true;
        if (waits)
        {
            interrupt.Cancel();
            // Gone with the process where that ends in time; else a file is being waited for, or a large step is under way.
            _ = Task.Delay(Patience)
                .ContinueWith(
                    _ => Messages.Note("still finishing what was begun; interrupt once more to end at once"),
                    TaskScheduler.Default
                );
            return;
        }

        Messages.Error("interrupted");
        ProcessEnd.ExitNow((int)ExitCode.Interrupted);
    }

    /// <param name="command">The command that was running, with a space at its end.</param>
    private static int Report(Exception e, string command)
    {
        switch (e)
        {
            case TransferException transfer:
                Messages.Error(transfer.Message);
                return (int)transfer.ExitCode;
            case OperationCanceledException:
                Messages.Error(
                    KeepsWork.Contains(command) ? "interrupted; what was done is kept, the same command goes on from there" : "interrupted"
                );
                return (int)ExitCode.Interrupted;
            // Before the aggregates, in one of which it usually is.
            case not null when IsOutOfMemory(e):
                Messages.Error(
                    "there is not enough memory for this; a limit on the address space (ulimit -v) counts memory that is only "
                        + "reserved: raise it, or use fewer --threads"
                );
                return (int)ExitCode.Failed;
            case AggregateException { InnerExceptions: [var single] }:
                return Report(single, command);
            // Where several threads failed, a known reason explains more than the first error.
            case AggregateException several
                when several.InnerExceptions.FirstOrDefault(i => i is TransferException or OperationCanceledException) is { } known:
                return Report(known, command);
            case IOException io when SyncedFiles.IsDiskFull(io):
                Messages.Error($"the disk is full: {io.Message}");
                return (int)ExitCode.Failed;
            case IOException or UnauthorizedAccessException:
                Messages.Error($"a file cannot be read or written: {e.OneLine()}");
                return (int)ExitCode.Failed;
            default:
                Messages.Error("this is a bug in transfer; please report it with the lines below");
                Console.Error.WriteLine(e);
                return (int)ExitCode.Failed;
        }
    }

    /// <summary>Threads that cannot be started for lack of memory come wrapped in a scheduler's exception.</summary>
    private static bool IsOutOfMemory(Exception? e) =>
        e is OutOfMemoryException
        || (
            e is AggregateException several
                ? several.InnerExceptions.Any(IsOutOfMemory)
                : e?.InnerException is { } inner && IsOutOfMemory(inner)
        );

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly string[] KeepsWork = ["run ", "extract ", "finetune ", "models pull "];
}
