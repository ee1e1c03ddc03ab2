using System.CommandLine;
using System.Globalization;
using System.Numerics;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Commands;

/// <summary>Options that several commands share, each made anew for its command, and the tools of this build.</summary>
internal static class Common
{
    private static readonly Lazy<Toolbox> LazyTools = new(DefaultTools.Create);

    public static Toolbox Tools => LazyTools.Value;

    /// <summary>How this program can be called from here: bin/transfer in a checkout, else transfer.</summary>
    public static string CommandName
    {
        get
        {
            var relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), Environment.ProcessPath ?? "transfer");
            // On Windows the path to another drive stays absolute.
            return relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative) ? "transfer" : relative;
        }
    }

    public static Option<bool> Json() => new("--json") { Description = "Print the result as JSON on stdout." };

    public static Option<int> Threads() =>
        Number("--threads", "Threads to use; results do not depend on it.", Environment.ProcessorCount, 1, 4096);

    /// <summary>One of a few words; the first is the default.</summary>
    public static Option<string> Choice(string name, string description, params string[] choices) =>
        new(name)
        {
            Description = description,
            HelpName = string.Join('|', choices),
            DefaultValueFactory = _ => choices[0],
            Validators =
            {
                result =>
                {
                    // A default value has no tokens and needs no check.
                    if (result.Tokens is [var token, ..] && !choices.Contains(token.Value))
                        result.AddError(
                            $"{name} '{token.Value}' is not one of {string.Join(", ", choices)}{NearestName.Hint(token.Value, choices)}"
                        );
                },
            },
        };

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static Option<T> Number<T>(string name, string description, T fallback, T least, T most)
        where T : struct, INumber<T> =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => fallback,
            Validators =
            {
                result =>
                {
                    // What is no number at all is refused by the parser; reading it as one here would throw.
                    if (
                        result.Tokens is [var token, ..]
                        && T.TryParse(token.Value, CultureInfo.InvariantCulture, out var value)
                        && !(value >= least && value <= most)
                    )
                        result.AddError(FormattableString.Invariant($"{name} is {value}, expected a number from {least} to {most}"));
                },
            },
        };

    /// <summary>Whether an option was not given.</summary>
    // The library makes a result for a default value too, and marks it as implicit.
    public static bool IsDefault(ParseResult parsed, Option option) => parsed.GetResult(option) is null or { Implicit: true };

    /// <summary>As <see cref="RequireWritable"/>; a backbone also has a manifest beside it, which is found by the file's name.</summary>
    public static void RequireBackboneFile(string file)
    {
        if (!file.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"--out is '{file}', expected the name of a file that ends in .onnx");
        RequireWritable(file);
    }

    /// <summary>Refuses a file that cannot be written, before the work whose result it takes.</summary>
    public static void RequireWritable(string file)
    {
        if (Directory.Exists(file))
            throw new UsageException($"{file} is a folder, expected the name of a file");
        // A device or pipe is written into; opening it now could wait for who reads it.
        if (OutputTarget.IsSpecial(file))
            return;
        var folder = Path.GetDirectoryName(OutputTarget.Real(file))!;
        // Folders that are missing are made later; the nearest one that exists shows whether they can be.
        // A drive of Windows that is not there has no parent.
        while (!Path.Exists(folder) && Path.GetDirectoryName(folder) is { } parent)
            folder = parent;
        try
        {
            // Only an attempt shows it: access rights state nothing of a read-only mount.
            using var probe = File.OpenHandle(
                Path.Combine(folder, ".transfer-" + Path.GetRandomFileName()),
                FileMode.CreateNew,
                FileAccess.Write,
                options: FileOptions.DeleteOnClose
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobFailedException(
                $"{file} cannot be written: {(File.Exists(folder) ? $"{folder} is a file, not a folder" : e.Message)}",
                e
            );
        }
    }

    public static Option<int> Seed() => new("--seed") { Description = "Seed of everything random.", DefaultValueFactory = _ => 0 };

    public static Option<string[]> Features(bool several) =>
        new("--features")
        {
            Description = several ? "Folder of a feature set; give it again to compare several." : "Folder of a feature set.",
            Required = true,
            HelpName = "DIR",
        };

    public static Option<string[]> Set(string description) => new("--set") { Description = description, HelpName = "NAME=VALUE" };

    public static Option<string> Out(string description, bool required = true) =>
        new("--out")
        {
            Description = description,
            HelpName = "PATH",
            Required = required,
        };
}
