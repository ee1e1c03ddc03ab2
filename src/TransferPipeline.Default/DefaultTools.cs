using TransferPipeline.Backbones.Store;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Images;
using TransferPipeline.ImageSharp;
using TransferPipeline.Jobs;
using TransferPipeline.LibjpegTurbo;
using TransferPipeline.MicrosoftML;
using TransferPipeline.NetVips;
using TransferPipeline.ParquetNet;
using TransferPipeline.ParquetSharp;
using TransferPipeline.TorchSharp;
using TransferPipeline.TorchSharp.Tuning;

namespace TransferPipeline;

/// <summary>Every adapter that comes with this program, the preferred one of each role first.</summary>
public static class DefaultTools
{
    /// <summary>The adapters, made when they are first used, all heads, and the model store.</summary>
    public static Toolbox Create()
    {
        // Made before the lists: the pillow decoder takes it too, where it can be used.
        var jpeg = new Adapter<IJpegDecoder>(
            "libjpeg-turbo",
            () => new TurboJpegDecoder(),
            () => TurboJpegDecoder.Version,
            () => TurboJpegDecoder.Problem
        );
        return new(
            new AdapterRegistry<IImageDecoder>(
                "decoder",
                [
                    new(
                        "pillow",
                        () => new NetVipsDecoder(jpeg.Problem is null ? jpeg.Instance : null),
                        () => NetVipsDecoder.Version,
                        () => NetVipsDecoder.Problem
                    ),
                    new("imagesharp", () => new ImageSharpDecoder(), () => $"ImageSharp {ImageSharpDecoder.Version}"),
                ]
            ),
            new AdapterRegistry<IImageEncoder>(
                "encoder",
                [
                    new("libvips", () => new NetVipsEncoder(), () => NetVipsDecoder.Version, () => NetVipsDecoder.Problem),
                    new("imagesharp", () => new ImageSharpEncoder(), () => $"ImageSharp {ImageSharpDecoder.Version}"),
                ]
            ),
            new AdapterRegistry<IParquetLibrary>(
                "Parquet library",
                [
                    new(
                        "parquetsharp",
                        () => new ParquetSharpTable(),
                        () => AdapterPackages.Of(typeof(ParquetSharpTable).Assembly),
                        () => ParquetSharpTable.Problem
                    ),
                    new("parquet-net", () => new ParquetNetTable(), () => AdapterPackages.Of(typeof(ParquetNetTable).Assembly)),
                ]
            ),
            [.. HeadCatalog.Trainers, .. MicrosoftMLHeads.Trainers, .. TorchHeads.Trainers],
            ModelStore.Default()
        )
        {
            JpegDecoders = new("JPEG decoder", [jpeg]),
            Tuners = new(
                "tuner",
                [
                    new(
                        "torchsharp",
                        () => new TorchTuner(),
                        // From the list of dependencies: naming the version must not load libtorch.
                        () => AdapterPackages.Of(typeof(TorchTuner).Assembly) + TorchTuner.Variant,
                        () => TorchTuner.Unavailable
                    ),
                ]
            ),
        };
    }
}
