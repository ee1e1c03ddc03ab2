using System.CommandLine;
using TransferPipeline.Datasets;

namespace TransferPipeline.Cli.Commands;

/// <summary>The options that name a dataset.</summary>
internal sealed class DataOptions
{
    private readonly Option<string> _path = new("--data")
    {
        Description = "A folder of class folders, a CSV, Parquet or tar file, or CIFAR's folder.",
        HelpName = "PATH",
        Required = true,
    };
    private readonly Option<string> _kind = Common.Choice(
        "--kind",
        "The form of the data, where the path does not show it.",
        [.. Enum.GetNames<DatasetKind>().Select(k => k.ToLowerInvariant())]
    );
    private readonly Option<double?> _validation = new("--validation-share")
    {
        Description = "Part of each class held out where the data has no splits; default 0.2.",
    };
    private readonly Option<double> _test = new("--test-share")
    {
        Description = "Part of each class kept for test where the data has no splits.",
        DefaultValueFactory = _ => 0,
    };
    private readonly Option<int> _seed = new("--split-seed") { Description = "Seed of the split.", DefaultValueFactory = _ => 0 };
    private readonly Option<string?> _pathColumn = new("--path-column")
    {
        Description = "CSV: column of photo names; default id, path, file, ...",
        HelpName = "NAME",
    };
    private readonly Option<string?> _labelColumn = new("--label-column")
    {
        Description = "CSV: column of labels; default label, class, ...",
        HelpName = "NAME",
    };
    private readonly Option<string?> _splitColumn = new("--split-column")
    {
        Description = "CSV: column of splits; default split, where there is one.",
        HelpName = "NAME",
    };
    private readonly Option<string?> _folder = new("--folder")
    {
        Description = "CSV: folder of the photos; default the one that the CSV is in.",
        HelpName = "PATH",
    };
    private readonly Option<string> _extension = new("--extension")
    {
        Description = "CSV: appended to each name, such as .jpg.",
        HelpName = ".EXT",
        DefaultValueFactory = _ => "",
    };

    public void AddTo(Command command)
    {
        foreach (
            var option in (Option[])[_path, _kind, _validation, _test, _seed, _pathColumn, _labelColumn, _splitColumn, _folder, _extension]
        )
            command.Options.Add(option);
    }

    public DatasetOptions Read(ParseResult parsed) =>
        new()
        {
            Path = parsed.GetValue(_path)!,
            Kind = Enum.Parse<DatasetKind>(parsed.GetValue(_kind)!, ignoreCase: true),
            // Null where it is not given: data with splits of its own then keeps all of its training photos.
            ValidationShare = parsed.GetValue(_validation),
            TestShare = parsed.GetValue(_test),
            Seed = parsed.GetValue(_seed),
            PathColumn = parsed.GetValue(_pathColumn),
            LabelColumn = parsed.GetValue(_labelColumn),
            SplitColumn = parsed.GetValue(_splitColumn),
            Folder = parsed.GetValue(_folder),
            Extension = parsed.GetValue(_extension) ?? "",
        };
}
