using System.CommandLine;
using System.CommandLine.Completions;
using TransferPipeline.Cli.Commands;

namespace TransferPipeline.Cli.Completion;

/// <summary>What may follow on a command line, for shells: commands, options, and the names of heads and models as their values.</summary>
internal static class Completions
{
    private const string Directive = "[suggest";

    /// <summary>Whether a shell asks: <c>[suggest:POSITION] LINE</c>, as shells do with every System.CommandLine program.</summary>
    public static bool AreAskedFor(string[] args) => args is [var first, _] && first.StartsWith(Directive, StringComparison.Ordinal);

    /// <summary>Prints one completion per line; nothing where the shell's own file names are what is wanted.</summary>
    public static int Write(string[] args, Func<string[], string, ParseResult> parse, TextWriter output)
    {
        var line = args[1];
        // Shells send the cursor's place in the line, which may have more text behind it.
        var position = int.TryParse(args[0].AsSpan(Directive.Length).Trim(":]"), out var given)
            ? Math.Min(given, line.Length)
            : line.Length;
        var typed = TypedLine.Of(line[..position]);
        var parsed = parse(typed.Words, typed.Text);
        var command = parsed.CommandResult.Command;
        var context = ((TextCompletionContext)parsed.GetCompletionContext()).AtCursorPosition(typed.Text.Length);
        // Not ParseResult.GetCompletions, which takes all that follows for values of an option that may be given again.
        var items = OptionOfValue(command, typed) is { } option ? option.GetCompletions(context) : Next(command, typed, context);
        foreach (var item in items.Select(c => c.InsertText ?? c.Label).Distinct())
            output.WriteLine(typed.Option + item);
        return (int)ExitCode.Done;
    }

    /// <summary>The option whose value is typed; null where a command, an argument or another option may begin.</summary>
    private static Option? OptionOfValue(Command command, TypedLine typed) =>
        typed.Words is [.., var name, var word] && (typed.Option.Length > 0 || !word.StartsWith('-'))
            ? command.Options.FirstOrDefault(o => Has(o, name) && o.Arity.MaximumNumberOfValues > 0 && o.ValueType != typeof(bool))
            : null;

    /// <summary>Subcommands, values of arguments, and the options that may still be given.</summary>
    private static IEnumerable<CompletionItem> Next(Command command, TypedLine typed, CompletionContext context)
    {
        var given = typed.Words.SkipLast(1).Select(word => word.Split('=', ':')[0]).ToHashSet();
        var full = command.Options.Where(o => o.Arity.MaximumNumberOfValues <= 1 && given.Any(name => Has(o, name)));
        var items = command.GetCompletions(context).Where(item => !full.Any(o => Has(o, item.Label)));
        // Where an argument may begin, such as a folder, options alone would hide what the shell offers: its file names.
        return typed.Words is [.., ""] && command.Arguments.Count > 0 ? items.Where(item => !item.Label.StartsWith('-')) : items;
    }

    private static bool Has(Option option, string name) => option.Name == name || option.Aliases.Contains(name);

    /// <summary>Gives the options and arguments of a command that take names of heads or models their values.</summary>
    public static void AddTo(Command command)
    {
        // By their names, since each command makes option objects of its own.
        foreach (var option in command.Options)
        {
            if (option.Name == "--heads")
                option.CompletionSources.Add(context => Listed(context, Heads()));
            else if (option.Name == "--head")
                option.CompletionSources.Add(_ => Items(Heads()));
            else if (option.Name == "--model")
                option.CompletionSources.Add(_ => Items(Common.Tools.Models.Names()));
            // A HelpName with bars lists the words that the option takes (Common.Choice).
            else if (option.HelpName is { } choices && choices.Contains('|'))
                option.CompletionSources.Add(choices.Split('|'));
        }

        foreach (var argument in command.Arguments)
        {
            if (command.Name == "heads")
                argument.CompletionSources.Add(_ => Items(Heads()));
            else if (argument.Name is "model" or "names")
                argument.CompletionSources.Add(_ => Items(Common.Tools.Models.Names()));
        }
    }

    private static IEnumerable<string> Heads() => Common.Tools.Trainers.Select(t => t.Name);

    private static IEnumerable<CompletionItem> Items(IEnumerable<string> names) => names.Select(name => new CompletionItem(name));

    /// <summary>Completes the last name of a list with commas.</summary>
    private static IEnumerable<CompletionItem> Listed(CompletionContext context, IEnumerable<string> names)
    {
        var typed = context.WordToComplete ?? "";
        // A completion replaces the word as a whole, with the names before the last comma.
        var before = typed[..(typed.LastIndexOf(',') + 1)];
        return Items(names.Select(name => before + name));
    }
}
