using System.CommandLine;

namespace TransferPipeline.Cli.Commands;

/// <summary>All commands by name. Only the one that is called is built in full, so that every call and <c>--help</c> start fast.</summary>
internal static class CommandTable
{
    private static readonly (string Name, string Summary, Func<Command> Create)[] All =
    [
    ];

    public static IEnumerable<Command> For(string[] args)
    {
        var called = args.FirstOrDefault(a => !a.StartsWith('-'));
        foreach (var (name, summary, create) in All)
            yield return name == called ? create() : new Command(name, summary);
    }
}
