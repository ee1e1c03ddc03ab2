using System.CommandLine;
using System.CommandLine.Parsing;
using TransferPipeline.Cli.Platform;
using TransferPipeline.Features;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Commands;

/// <summary>Options that several commands share, each made anew for its command, and the tools of this build.</summary>
internal static class Common
{
    /// <summary>The backbone that is part of the program.</summary>
    public const string DefaultModel = "efficientnet-lite0";

    private static readonly Lazy<Toolbox> LazyTools = new(DefaultTools.Create);

    public static Toolbox Tools => LazyTools.Value;

    /// <summary>How this program can be called from here.</summary>
    public static string CommandName => ShellWords.Program(Directory.GetCurrentDirectory(), Environment.ProcessPath);

    public static Option<bool> Json() => new("--json") { Description = "Print the result as JSON on stdout." };

    public static Option<int> Threads() =>
        Whole("--threads", "Threads to use; results do not depend on it.", Environment.ProcessorCount, new(1, 4096));

    /// <summary>One of a few words; the first is the default.</summary>
    public static Option<string> Choice(string name, string description, params string[] choices) =>
        new(name)
        {
            Description = description,
            HelpName = string.Join('|', choices),
            DefaultValueFactory = _ => choices[0],
            Validators = { result => CheckChoice(result, name, choices) },
        };

    /// <summary>One of a few words, which has to be given.</summary>
    public static Option<string> RequiredChoice(string name, string description, params string[] choices) =>
        new(name)
        {
            Description = description,
            HelpName = string.Join('|', choices),
            Required = true,
            Validators = { result => CheckChoice(result, name, choices) },
        };

    /// <summary>A whole number.</summary>
    public static Option<int> Whole(string name, string description, int fallback, NumberRange range) =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => fallback,
            CustomParser = result => Parse(result, name, range.Whole, range.ExpectedWhole).FirstOrDefault(),
        };

    /// <summary>Several whole numbers.</summary>
    public static Option<int[]> Wholes(string name, string description, NumberRange range) =>
        new(name)
        {
            Description = description,
            AllowMultipleArgumentsPerToken = true,
            HelpName = "N N ...",
            CustomParser = result => Parse(result, name, range.Whole, range.ExpectedWhole),
        };

    /// <summary>A number.</summary>
    public static Option<double> Number(string name, string description, double fallback, NumberRange range) =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => fallback,
            CustomParser = result => Parse(result, name, range.Number, range.ExpectedNumber).FirstOrDefault(),
        };

    /// <summary>A number without a default; what takes it reports its limits.</summary>
    public static Option<double?> NumberIfAny(string name, string description) =>
        new(name)
        {
            Description = description,
            CustomParser = result =>
                Parse(result, name, NumberRange.All.Number, NumberRange.All.ExpectedNumber) is [var number, ..] ? number : null,
        };

    // The library's own parser reads 0,001 as 1 and names .NET's types in its messages.
    private static T[] Parse<T>(ArgumentResult result, string name, Func<string, T?> read, Func<string, string> expected)
        where T : struct
    {
        var wrong = result.Tokens.FirstOrDefault(t => read(t.Value) is null);
        if (wrong is null)
            return [.. result.Tokens.Select(t => read(t.Value)!.Value)];
        result.AddError($"{name} is '{wrong.Value}', expected {expected(wrong.Value)}");
        return [];
    }

    private static void CheckChoice(OptionResult result, string name, string[] choices)
    {
        // A default value has no tokens and needs no check.
        if (result.Tokens is [var token, ..] && !choices.Contains(token.Value))
            result.AddError($"{name} '{token.Value}' is not one of {string.Join(", ", choices)}{NearestName.Hint(token.Value, choices)}");
    }

    /// <summary>Whether an option was not given.</summary>
    // The library makes a result for a default value too, and marks it as implicit.
    public static bool IsDefault(ParseResult parsed, Option option) => parsed.GetResult(option) is null or { Implicit: true };

    /// <summary>As <see cref="OutputTarget.RequireFile"/>, for a result that would replace what its command reads.</summary>
    /// <param name="read">The files that are read; null for one that is not given.</param>
    public static void RequireResult(string file, params IEnumerable<string?> read)
    {
        OutputTarget.RequireFile(file);
        SetWriter.RequireForeign(file);
        if (File.Exists(file) && read.Any(r => r is not null && OutputTarget.IsSame(r, file)))
            throw new UsageException($"{file} is read by this command; choose another name for the result");
    }

    /// <summary>
    /// As <see cref="OutputTarget.RequireFile"/>; a backbone also has a manifest beside it, which is found by the file's name.
    /// </summary>
    public static void RequireBackboneFile(string file)
    {
        if (!file.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"--out is '{file}', expected the name of a file that ends in .onnx");
        OutputTarget.RequireFile(file);
    }

    /// <summary>As <see cref="OutputTarget.RequireFolder"/>, for a folder that may be a feature set.</summary>
    public static void RequireSetFolder(string folder)
    {
        // One that is there may be in another run's hands, which takes a foreign file in it for a user's; the set's lock is tried soon.
        if (!Directory.Exists(folder))
            OutputTarget.RequireFolder(folder);
    }

    /// <param name="fallback">Taken where none is given; null where one has to be.</param>
    public static Option<string> Model(string? fallback = null) =>
        new("--model")
        {
            Description = "A backbone of the model store, or an ONNX file.",
            HelpName = "NAME|FILE.onnx",
            Required = fallback is null,
            DefaultValueFactory = fallback is null ? null : _ => fallback,
        };

    public static Option<string> Pooling() =>
        new("--pooling")
        {
            Description = "none, avg, max or adaptive:HxW; for a transformer's tokens also cls, mean (of the patches) and cls+mean.",
            HelpName = "none|avg|max|adaptive:HxW|cls|mean|cls+mean",
            DefaultValueFactory = _ => "none",
        };

    /// <summary>The backbone that made a feature set.</summary>
    public static Option<string?> BackboneOfSet() =>
        new("--model")
        {
            Description = "The backbone, where it is not in the model store under the set's name for it.",
            HelpName = "NAME|FILE.onnx",
        };

    /// <summary>The photos that a feature set was made of.</summary>
    /// <param name="use">What they are for.</param>
    public static Option<string?> PhotosOfSet(string use) =>
        new("--data") { Description = $"The photos, for the {use}, where they have moved.", HelpName = "PATH" };

    public static Option<int> Seed() => Whole("--seed", "Seed of everything random.", 0, new(0, double.PositiveInfinity));

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
