using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Heads.Common;
using TransferPipeline.Images;

namespace TransferPipeline.Jobs;

/// <summary>The outside libraries that a program may use, and which of them it uses.</summary>
/// <param name="Decoders">Decoders of photos.</param>
/// <param name="Encoders">Encoders of photos, by the same names as their decoders.</param>
/// <param name="ParquetLibraries">Readers and writers of Parquet files.</param>
/// <param name="Trainers">All heads, those that cannot be used on this machine included.</param>
/// <param name="Models">Where backbones come from.</param>
public sealed record Toolbox(
    AdapterRegistry<IImageDecoder> Decoders,
    AdapterRegistry<IImageEncoder> Encoders,
    AdapterRegistry<IParquetLibrary> ParquetLibraries,
    IReadOnlyList<IHeadTrainer> Trainers,
    ModelStore Models)
{
    /// <summary>Name of the decoder that is used; null for the first one that works on this machine.</summary>
    public string? DecoderName { get; init; }

    /// <summary>Name of the Parquet library that is used; null for the first one that works on this machine.</summary>
    public string? ParquetName { get; init; }

    /// <exception cref="UsageException">The decoder cannot be used, or there is none of that name.</exception>
    public IImageDecoder Decoder => Decoders.Find(DecoderName).Instance;

    /// <exception cref="UsageException">No encoder can be used.</exception>
    public IImageEncoder Encoder => Encoders.Find().Instance;

    /// <exception cref="UsageException">The Parquet library cannot be used, or there is none of that name.</exception>
    public IFeatureTable Table => ParquetLibraries.Find(ParquetName).Instance;

    /// <exception cref="UsageException">The Parquet library cannot be used, or there is none of that name.</exception>
    public IPhotoTable PhotoTable => ParquetLibraries.Find(ParquetName).Instance;

    /// <exception cref="UsageException">No head has that name; the nearest one is suggested.</exception>
    public IHeadTrainer Trainer(string name) => HeadCatalog.Find(name, Trainers);
}
