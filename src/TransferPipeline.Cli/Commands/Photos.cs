using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.Cli.Commands;

/// <summary>The photos behind a feature set.</summary>
internal static class Photos
{
    /// <param name="asked">Where the user says that they are, or null for where they were at the extraction.</param>
    /// <returns>The dataset, or null when it is not on this machine and was not asked for: a feature set travels alone.</returns>
    public static Dataset? Open(string? asked, FeatureSet set)
    {
        var source = asked ?? set.Manifest.Dataset;
        return asked is not null || Directory.Exists(source) || File.Exists(source)
            ? DatasetReader.Open(new() { Path = source }, Common.Tools.PhotoTable.Value)
            : null;
    }
}
