#if !CARD
using TransferPipeline.Backbones.Store;
using TransferPipeline.DuckDb;
using TransferPipeline.Heads;
using TransferPipeline.Images;
using TransferPipeline.LibjpegTurbo;
using TransferPipeline.Libvips;
using TransferPipeline.Pipelines;

namespace TransferPipeline.Packages;

/// <summary>The npm set: libjpeg-turbo decodes plain JPEG and libvips all else, libvips encodes, DuckDB reads and writes Parquet, and only our own heads train.</summary>
public static class PackageSet
{
    /// <summary>The adapters, made when they are first used, our heads, and the model store.</summary>
    public static Toolbox Create()
    {
        var table = new Lazy<DuckDbTable>(() => new DuckDbTable());
        return new("npm", new(() => new LibvipsDecoder(new TurboJpegDecoder())), new(() => new LibvipsEncoder()), new(() => table.Value), new(() => table.Value),
            [.. HeadCatalog.Trainers, .. PackageTrainers.Unavailable], ModelStore.Default());
    }

    /// <summary>A second decoder to compare with: the card packages' is not in this build.</summary>
    public static IImageDecoder? OtherDecoder() => null;
}
#endif
