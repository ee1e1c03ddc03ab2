using System.CommandLine;
using TransferPipeline.Cli.Adapters;
using TransferPipeline.Pipelines;

namespace TransferPipeline.Cli.Commands;

/// <summary>Options that several commands share, each made anew for its command, and the tools of this build.</summary>
internal static class Common
{
    private static readonly Lazy<Toolbox> LazyTools = new(PackageSet.Create);

    public static Toolbox Tools => LazyTools.Value;

    /// <summary>How this program can be called from here: bin/transfer in a checkout, else transfer.</summary>
    public static string CommandName
    {
        get
        {
            var relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), Environment.ProcessPath ?? "transfer");
            return relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative) ? "transfer" : relative;
        }
    }

    public static Option<bool> Json() => new("--json") { Description = "Print the result as JSON on stdout." };

    public static Option<int> Threads() => new("--threads")
    {
        Description = "Threads to use; results do not depend on it.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
        Validators = { result => { if (result.GetValueOrDefault<int>() < 1) result.AddError("--threads must be at least 1"); } },
    };

    public static Option<int> Seed() => new("--seed") { Description = "Seed of everything random." };

    public static Option<string[]> Features(bool several) => new("--features")
    {
        Description = several ? "Folder of a feature set; give it again to compare several." : "Folder of a feature set.",
        Required = true,
        HelpName = "DIR",
    };

    public static Option<string[]> Set(string description) => new("--set") { Description = description, HelpName = "NAME=VALUE" };

    public static Option<string> Out(string description, bool required = true) => new("--out") { Description = description, Required = required };
}
