using System.CommandLine;
using TransferPipeline.Cli.Output;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Cli.Commands;

/// <summary><c>transfer heads [NAME]</c>: the heads of this build, or one head's options.</summary>
internal static class HeadsCommand
{
    public static Command Create(string name, string summary)
    {
        var head = new Argument<string?>("name") { Description = "A head, to see its options.", Arity = ArgumentArity.ZeroOrOne };
        var json = Common.Json();
        var command = new Command(name, summary) { head, json };
        command.SetAction(parsed =>
        {
            IReadOnlyList<IHeadTrainer> heads = parsed.GetValue(head) is { } one ? [Common.Tools.Trainer(one)] : Common.Tools.Trainers;
            if (parsed.GetValue(json))
                Json.Write(
                    heads.Select(h => new
                    {
                        h.Name,
                        h.Summary,
                        Available = h.Missing is null,
                        Unavailable = h.Missing,
                        Options = h.Options.Select(Describe),
                    })
                );
            else if (parsed.GetValue(head) is null)
                WriteHeads(heads);
            else
                WriteOptions(heads[0]);
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static object Describe(DeclaredOption option) =>
        new
        {
            option.Name,
            // Widths of layers are given as text, such as 512,128.
            Kind = option.Kind == OptionKind.Integers ? OptionKind.Text : option.Kind,
            Default = option.DefaultText,
            Description = option.Help,
            Minimum = option.Min,
            Maximum = option.Max,
            ExclusiveMinimum = option.ExclusiveMin,
            option.Choices,
        };

    private static void WriteHeads(IReadOnlyList<IHeadTrainer> heads)
    {
        // The heads that can be used have no reason, and null is sorted first.
        foreach (var group in heads.GroupBy(h => h.Missing).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            if (group.Key is not null)
                Console.WriteLine($"not available: {group.Key}");
            Tables.Write(["head", "what it is"], group.Select(h => new[] { h.Name, h.Summary }));
        }
    }

    private static void WriteOptions(IHeadTrainer head)
    {
        Console.WriteLine($"{head.Name}: {head.Summary}");
        if (head.Missing is { } reason)
            Console.WriteLine($"not available: {reason}");
        Tables.Write(
            ["option", "default", "values", "what it does"],
            head.Options.Select(o => new[] { o.Name, o.DefaultText, o.DescribeValues(), o.Help })
        );
    }
}
