using TransferPipeline.Backbones.Store;
using TransferPipeline.Datasets;
using TransferPipeline.Features;
using TransferPipeline.Heads;
using TransferPipeline.Images;

namespace TransferPipeline.Pipelines;

/// <summary>The outside parts of a build: one package set's decoder and encoder of photos, Parquet library and trainers.</summary>
/// <param name="PackageSet"><c>npm</c> or <c>card</c>.</param>
/// <param name="Decoder">Made on first use; making it loads a native library.</param>
/// <param name="Encoder">Made on first use, as the decoder.</param>
/// <param name="Trainers">All heads by name, those whose package is absent included.</param>
public sealed record Toolbox(
    string PackageSet,
    Lazy<IImageDecoder> Decoder,
    Lazy<IImageEncoder> Encoder,
    Lazy<IFeatureTable> Table,
    Lazy<IPhotoTable> PhotoTable,
    IReadOnlyList<IHeadTrainer> Trainers,
    ModelStore Models)
{
    /// <exception cref="UsageException">No head has that name; the nearest one is suggested.</exception>
    public IHeadTrainer Trainer(string name) => HeadCatalog.Find(name, Trainers);
}
