using TransferPipeline.Backbones.Store;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Images;
using TransferPipeline.ImageSharp;
using TransferPipeline.Jobs;
using TransferPipeline.LibjpegTurbo;
using TransferPipeline.Libvips;
using TransferPipeline.MicrosoftML;
using TransferPipeline.ParquetNet;
using TransferPipeline.ParquetSharp;
using TransferPipeline.TorchSharp;

namespace TransferPipeline.Default;

/// <summary>Every adapter that comes with this program, the preferred one of each role first.</summary>
public static class DefaultTools
{
    /// <summary>The adapters, made when they are first used, all heads, and the model store.</summary>
    public static Toolbox Create() => new(
        new AdapterRegistry<IImageDecoder>("decoder",
        [
            new("pillow", () => new LibvipsDecoder(new TurboJpegDecoder()), () => "libvips"),
            new("imagesharp", () => new ImageSharpDecoder(), () => "ImageSharp"),
        ]),
        new AdapterRegistry<IImageEncoder>("encoder",
        [
            new("libvips", () => new LibvipsEncoder(), () => "libvips"),
            new("imagesharp", () => new ImageSharpEncoder(), () => "ImageSharp"),
        ]),
        new AdapterRegistry<IParquetLibrary>("Parquet library",
        [
            new("parquetsharp", () => new ParquetSharpTable(), () => "ParquetSharp", () => ParquetSharpTable.Problem),
            new("parquet-net", () => new ParquetNetTable(), () => "Parquet.Net"),
        ]),
        [.. HeadCatalog.Trainers, .. MicrosoftMLHeads.Trainers, .. TorchHeads.Trainers],
        ModelStore.Default());
}
