using TransferPipeline.Cli.Output;
using TransferPipeline.Datasets;
using TransferPipeline.Features;

namespace TransferPipeline.Cli.Commands;

/// <summary>The photos behind a feature set.</summary>
internal static class Photos
{
    /// <param name="given">Where the user says that they are, or null for where they were at the extraction.</param>
    /// <returns>The dataset, or null when it is not on this machine and was not given: a feature set travels alone.</returns>
    public static Dataset? Open(string? given, FeatureSet set)
    {
        var options = set.Manifest.DatasetOptions ?? new() { Path = set.Manifest.Dataset };
        if (given is not null)
            return DatasetReader.Open(options.MovedTo(given), Common.Tools.PhotoTable);
        if (!Path.Exists(options.Path))
            return null;
        try
        {
            return DatasetReader.Open(options, Common.Tools.PhotoTable);
        }
        catch (TransferException e)
        {
            Messages.Warning($"goes on without the photos: {e.Message}");
            return null;
        }
    }
}
