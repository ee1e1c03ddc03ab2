using TransferPipeline.Cli.Output;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Jobs;

namespace TransferPipeline.Cli.Commands;

/// <summary>The photos behind a feature set.</summary>
internal static class Photos
{
    /// <param name="given">Where the user states that they are, or null for where they were at the extraction.</param>
    /// <param name="tools">With the Parquet library of --parquet.</param>
    /// <returns>The dataset, or null when it is not on this machine and was not given: a feature set travels alone.</returns>
    public static Dataset? Open(string? given, FeatureSet set, Toolbox tools)
    {
        var options = set.Manifest.DatasetOptions ?? new() { Path = set.Manifest.Dataset };
        if (given is not null)
            return DatasetReader.Open(options.MovedTo(given), tools.PhotoTable);
        if (!Path.Exists(options.Path))
            return null;
        try
        {
            return DatasetReader.Open(options, tools.PhotoTable);
        }
        catch (TransferException e)
        {
            // The user did not name them, and a fit needs the set alone.
            Messages.Warning($"goes on without the photos: {e.Message}");
            return null;
        }
    }
}
