using System.CommandLine;

namespace TransferPipeline.Cli.Commands;

/// <summary>All commands by name. Only the one that is called is built in full, so that every call and <c>--help</c> start fast.</summary>
internal static class CommandTable
{
    private static readonly (string Name, string Summary, Func<string, string, Command> Create)[] All =
    [
        ("run", "Does a whole pipeline: extract, compare, export.", RunCommand.Create),
        ("extract", "Computes the vectors of a dataset's photos and caches them.", ExtractCommand.Create),
        ("features", "Shows, verifies, lists, exports, merges or compares feature sets.", FeaturesCommand.Create),
        ("train", "Trains one head and writes backbone and head as one ONNX file.", TrainCommand.Create),
        ("compare", "Trains several heads on the same vectors and says which is best.", CompareCommand.Create),
        ("export", "Writes a head that was compared, and its backbone, as one ONNX file.", ExportCommand.Create),
        ("predict", "Classifies photos with a classifier file.", PredictCommand.Create),
        ("heads", "Lists the heads and their options.", HeadsCommand.Create),
        ("inspect", "Shows a backbone's layers, its cost and where it is cut.", InspectCommand.Create),
        ("models", "Lists, downloads, verifies or adds backbones.", ModelsCommand.Create),
        ("data", "Checks a dataset before any work.", DataCommand.Create),
        ("doctor", "Shows what this installation can do, and what is missing.", DoctorCommand.Create),
        ("bench", "Measures the speed of extraction or of heads on this machine.", BenchCommand.Create),
    ];

    private static readonly string[] Paths = ["--out", "--data", "--folder", "--html", "--vectors", "--labels", "--coefficients"];

    public static IEnumerable<Command> For(string[] args)
    {
        var called = args.FirstOrDefault(a => !a.StartsWith('-'));
        foreach (var (name, summary, create) in All)
            yield return name == called ? Named(create(name, summary)) : new Command(name, summary);
    }

    /// <summary>Says in the help what kind of value an option takes, where that is plain.</summary>
    private static Command Named(Command command)
    {
        foreach (var option in command.Options)
        {
            var type = option.ValueType.GetElementType() ?? Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
            option.HelpName ??= type == typeof(int) ? "N" : type == typeof(double) ? "X" : Paths.Contains(option.Name) ? "PATH" : null;
        }

        foreach (var subcommand in command.Subcommands)
            Named(subcommand);
        return command;
    }
}
