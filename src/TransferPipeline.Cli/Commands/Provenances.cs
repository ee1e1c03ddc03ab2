using System.Runtime.InteropServices;
using TransferPipeline.Cli.Platform;
using TransferPipeline.Evaluation;
using TransferPipeline.Features;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Commands;

/// <summary>The parts of a comparison's options that only the command knows: how it was called, and with which versions.</summary>
internal static class Provenances
{
    public static ComparisonOptions Options(int threads) => Complete(new() { Threads = threads });

    /// <summary>With the command line and the versions.</summary>
    public static ComparisonOptions Complete(ComparisonOptions options) =>
        options with
        {
            // The first argument is the program's file.
            Command = "transfer " + string.Join(' ', Environment.GetCommandLineArgs().Skip(1).Select(ShellWords.Quoted)),
            Versions = new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                [AssemblyVersion.Name] = AssemblyVersion.Own,
                [".NET"] = RuntimeInformation.FrameworkDescription.Replace(".NET ", "", StringComparison.Ordinal),
            },
        };

    public static FeatureSource Load(FeatureSet set) => new(Summaries.Of(set), set.Load());
}
