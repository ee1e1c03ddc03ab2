using TransferPipeline.Images;
using TransferPipeline.Images.Augmentations;

namespace TransferPipeline.Extraction;

/// <summary>Views of training photos by torchvision's augmentations.</summary>
internal static class AugmentedViews
{
    /// <param name="count">Augmented copies of each training photo.</param>
    /// <param name="steps">What changes them, in order.</param>
    /// <param name="preprocessing">The network's input; what follows a photo's resize and crop is the same for its copies.</param>
    /// <exception cref="UsageException">A step's parameter is out of range, or the network's input size is not fixed.</exception>
    public static ViewOptions Of(int count, IReadOnlyList<Augmentation> steps, Preprocessing preprocessing, ulong seed) =>
        new()
        {
            Count = count,
            // Made here as well as by each worker, so that a wrong parameter ends the run before its first photo.
            Description = new Augmenter(steps, preprocessing, seed).Description,
            CreateRenderer = () => new Renderer(new Augmenter(steps, preprocessing, seed)),
        };

    private sealed class Renderer(Augmenter augmenter) : IViewRenderer
    {
        public void Render(RgbImage photo, string imageSha256, int view, Span<float> destination, TensorLayout layout) =>
            augmenter.Run(photo, imageSha256, view, destination, layout);

        public void RenderBytes(RgbImage photo, string imageSha256, int view, Span<byte> destination) =>
            augmenter.RunBytes(photo, imageSha256, view, destination);
    }
}
