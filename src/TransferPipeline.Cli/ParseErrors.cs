using System.CommandLine;
using System.CommandLine.Parsing;

namespace TransferPipeline.Cli;

/// <summary>
/// What is wrong with the arguments, in the words of this program's other messages: what was found, what was expected, the nearest valid
/// name.
/// </summary>
internal static class ParseErrors
{
    /// <summary>The first thing that is wrong, or null.</summary>
    public static string? Find(ParseResult parsed)
    {
        // A misspelt option among file names is taken for one of them.
        if (
            parsed
                .CommandResult.Children.OfType<ArgumentResult>()
                .SelectMany(a => a.Tokens)
                .FirstOrDefault(t => t.Value.StartsWith("--", StringComparison.Ordinal) && !Path.Exists(t.Value)) is
            { } option
        )
            return NoOption(parsed.CommandResult.Command, option.Value);
        return Empty(parsed) ?? WithoutValue(parsed) ?? (parsed.Errors.Count > 0 ? Describe(parsed) : null);
    }

    /// <summary>The first value that is no text at all, as a shell passes for a variable that is not set.</summary>
    private static string? Empty(ParseResult parsed)
    {
        foreach (var result in parsed.CommandResult.Children.Where(r => r.Tokens.Any(t => t.Value.Length == 0)))
        {
            if (result is OptionResult { Option: var option } && !(option.HasDefaultValue && option.GetDefaultValue() is ""))
                return $"{option.Name} is empty, expected {Value(option)}";
            if (result is ArgumentResult { Argument: var argument })
                return $"<{argument.Name}> is empty, expected {Clause(argument.Description!)}";
        }

        return null;
    }

    /// <summary>The first option that is named more often than it has values.</summary>
    private static string? WithoutValue(ParseResult parsed) =>
        parsed
            .CommandResult.Children.OfType<OptionResult>()
            .FirstOrDefault(r => r.Option.Arity.MinimumNumberOfValues > 0 && r.Tokens.Count < r.IdentifierTokenCount)
            is { Option: var option }
            ? $"{option.Name} has no value, expected {Value(option)}"
            : null;

    private static string Value(Option option) => $"{option.HelpName ?? "a value"}: {Clause(option.Description!)}";

    private static string Describe(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        if (parsed.UnmatchedTokens is [var token, ..])
        {
            if (command.Subcommands.Count > 0 && !token.StartsWith('-'))
                return $"there is no command '{token}'{NearestName.Hint(token, command.Subcommands.Select(c => c.Name))} (commands: "
                    + $"{string.Join(", ", command.Subcommands.Select(c => c.Name))})";
            if (token.StartsWith('-'))
                return NoOption(command, token);
            return command.Arguments is [var last, ..]
                ? $"'{token}' is one too many: {command.Name} takes one <{last.Name}>{AfterSwitch(parsed, token)}"
                : $"'{token}' is not expected: {command.Name} takes options alone{AfterSwitch(parsed, token)}";
        }

        if (command.Subcommands.Count > 0)
            return $"a command is expected: {string.Join(", ", command.Subcommands.Select(c => c.Name))}";
        var error = parsed.Errors[0];
        if (error.SymbolResult is OptionResult { Tokens: var tokens, Option: var of } given)
        {
            // Without its name the option is a required one that was left out.
            if (given.IdentifierToken is null)
                return $"{of.Name} is missing: {Clause(of.Description!)}";
            if (tokens.Count > of.Arity.MaximumNumberOfValues)
                return $"{of.Name} is given {tokens.Count} times ({string.Join(", ", tokens.Select(t => $"'{t.Value}'"))}), expected once";
        }

        // The library names the command alone, and its sentences of what is missing end with a full stop.
        if (error.SymbolResult is ArgumentResult { Argument: var argument, Parent: not OptionResult } && !error.SymbolResult.Tokens.Any())
            return Missing(argument);
        if (
            error.SymbolResult is CommandResult
            && command.Arguments.FirstOrDefault(a => a.Arity.MinimumNumberOfValues > (parsed.GetResult(a)?.Tokens.Count ?? 0)) is { } left
            && !error.Message.Contains("--", StringComparison.Ordinal)
        )
            return Missing(left);
        // Its messages may have several lines, those of this program have one.
        return string.Join(' ', error.Message.Split((char[])['\n', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.', ' ');
    }

    /// <summary>A value that was meant for the option before it, which takes none; empty where there is no such option.</summary>
    private static string AfterSwitch(ParseResult parsed, string token)
    {
        var before = parsed.Tokens.TakeWhile(t => t.Value != token).LastOrDefault()?.Value;
        var options = parsed.CommandResult.Command.Options;
        if (options.FirstOrDefault(o => o.Name == before && o.ValueType == typeof(bool)) is not { } taken)
            return "";
        // --data of features verify is described as being for --photos.
        var other = options.FirstOrDefault(o => o.Description?.Contains(taken.Name, StringComparison.Ordinal) is true);
        return $", and {taken.Name} has no value" + (other is null ? "" : $": give it with {other.Name}");
    }

    private static string Missing(Argument argument) => $"<{argument.Name}> is missing: {Clause(argument.Description!)}";

    /// <summary>A description within a sentence: without its full stop, and in lower case unless an abbreviation begins it.</summary>
    private static string Clause(string description)
    {
        var text = description.EndsWith('.') && !description.EndsWith("...", StringComparison.Ordinal) ? description[..^1] : description;
        return text.Length > 1 && char.IsUpper(text[1]) ? text : char.ToLowerInvariant(text[0]) + text[1..];
    }

    private static string NoOption(Command command, string token) =>
        command.Options.Any(o => o.Name == token)
            ? $"'{token}' stands behind '--', where every word is an argument"
            : $"there is no option '{token}'{NearestName.Hint(token, command.Options.Select(o => o.Name))}";
}
