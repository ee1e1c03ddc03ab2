using System.Globalization;
using TransferPipeline.Backbones.Store;

namespace TransferPipeline.Cli.Output;

/// <summary>A download's progress in megabytes.</summary>
internal sealed class DownloadProgressView(string model) : IProgress<PullProgress>
{
    private readonly StatusLine _line = new();

    public void Report(PullProgress value) =>
        _line.Report(
            value.Done >= value.Total,
            () =>
                [
                    string.Create(CultureInfo.InvariantCulture, $"{model} {value.Done / 1e6:0.0} of {value.Total / 1e6:0.0} MB"),
                    $"from {value.Host}",
                ]
        );

    public void End() => _line.End();
}
