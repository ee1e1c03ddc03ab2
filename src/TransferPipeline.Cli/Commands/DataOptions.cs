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

    // All but 'stratified', which pipelines alone have.
    private readonly OptionFlags<DatasetOptions> _options = new(
        "kind",
        "validation-share",
        "test-share",
        "seed",
        "path-column",
        "label-column",
        "split-column",
        "folder",
        "extension"
    );

    public void AddTo(Command command)
    {
        command.Options.Add(_path);
        _options.AddTo(command);
    }

    public DatasetOptions Read(ParseResult parsed) => _options.Read(parsed) with { Path = parsed.GetValue(_path)! };
}
