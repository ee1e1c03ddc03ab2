#if CARD
using TransferPipeline.Backbones.Store;
using TransferPipeline.Heads;
using TransferPipeline.Images;
using TransferPipeline.ImageSharp;
using TransferPipeline.MicrosoftML;
using TransferPipeline.ParquetNet;
using TransferPipeline.Pipelines;
using TransferPipeline.TorchSharp;

namespace TransferPipeline.Packages;

/// <summary>The card packages: ImageSharp decodes and encodes, Parquet.Net reads and writes Parquet, and Microsoft.ML and TorchSharp add their heads to ours.</summary>
public static class PackageSet
{
    /// <summary>The adapters, made when they are first used, our heads, and the model store.</summary>
    public static Toolbox Create()
    {
        var table = new Lazy<ParquetNetTable>(() => new ParquetNetTable());
        return new("card", new(() => new ImageSharpDecoder()), new(() => new ImageSharpEncoder()), new(() => table.Value), new(() => table.Value),
            [.. HeadCatalog.Trainers, .. MicrosoftMLHeads.Trainers, .. TorchHeads.Trainers], ModelStore.Default());
    }

    /// <summary>The npm set's decoder where it was built in too, else null: to compare with.</summary>
    public static IImageDecoder? OtherDecoder() =>
#if NPM_NATIVES
        new Libvips.LibvipsDecoder(new LibjpegTurbo.TurboJpegDecoder());
#else
        null;
#endif
}
#endif
