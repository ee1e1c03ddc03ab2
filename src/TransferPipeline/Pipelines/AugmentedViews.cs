using TransferPipeline.Features;
using TransferPipeline.Images;
namespace TransferPipeline.Pipelines;
internal static class AugmentedViews
{
    public static ViewOptions Create(int views, IReadOnlyList<StepRequest> augment, Preprocessing preprocessing, int seed) => throw new UsageException("augmentations are not there");
}
