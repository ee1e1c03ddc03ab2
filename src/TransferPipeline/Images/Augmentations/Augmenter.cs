namespace TransferPipeline.Images.Augmentations;

/// <summary>
/// Makes augmented views of a decoded photo. The steps run in their order on the photo; without a RandomResizedCrop among them
/// the photo is resized and cropped as the preprocessing states first. A view depends on the seed, the photo's content and the
/// view's number alone. Owns its scratch memory: one per worker, not thread-safe.
/// </summary>
internal sealed class Augmenter
{
    private readonly IReadOnlyList<Augmentation> _steps;
    private readonly ulong _seed;
    private readonly Preprocessor _preprocessor;
    private readonly PixelValues _values;
    private readonly AugmentationCanvas _canvas;
    private readonly bool _cropsItself;

    /// <exception cref="UsageException">A step's parameter is out of range, or the network's input size is not fixed.</exception>
    public Augmenter(IReadOnlyList<Augmentation> steps, Preprocessing preprocessing, ulong seed)
    {
        foreach (var step in steps)
            step.Validate();
        (_steps, _seed) = (steps, seed);
        _preprocessor = new Preprocessor(preprocessing);
        _values = new PixelValues(preprocessing);
        _cropsItself = steps.Any(s => s is RandomResizedCrop);
        if (_preprocessor.OutputWidth == 0)
            Throw.Usage("augmented views need a fixed input size: give the preprocessing a crop, or a width and height to resize to");
        _canvas = new AugmentationCanvas(new Resampler(ResampleKernel.Create()), _preprocessor.OutputWidth, _preprocessor.OutputHeight);
    }

    /// <summary>The steps with their parameters and the seed, for a feature set's recipe.</summary>
    public string Description => $"{string.Join(" | ", _steps)} | seed={_seed}";

    /// <summary>Writes a view's normalized values: 3 x height x width (NCHW) or height x width x 3 (NHWC).</summary>
    /// <param name="photo">The decoded photo; it stays as it is.</param>
    /// <param name="imageSha256">SHA-256 of the photo's file in hexadecimal.</param>
    /// <param name="view">1 or more.</param>
    public unsafe void Run(RgbImage photo, string imageSha256, int view, Span<float> destination, TensorLayout layout = TensorLayout.Nchw)
    {
        var picture = Draw(photo, imageSha256, view, destination.Length);
        fixed (float* values = destination)
        {
            if (layout == TensorLayout.Nchw)
                _values.ToPlanes(picture.Pixels, values, (nint)picture.Width * picture.Height);
            else
                _values.ToPixels(picture.Pixels, values);
        }
    }

    /// <summary>Writes a view's pixels before normalization: height x width x 3 bytes, R G B.</summary>
    public void RunBytes(RgbImage photo, string imageSha256, int view, Span<byte> destination) =>
        Draw(photo, imageSha256, view, destination.Length).Pixels.CopyTo(destination);

    private RgbImage Draw(RgbImage photo, string imageSha256, int view, int room)
    {
        var random = RandomStream.OfView(_seed, imageSha256, view);
        _canvas.Start(photo);
        if (!_cropsItself)
        {
            var fresh = _canvas.Fresh(_preprocessor.OutputWidth, _preprocessor.OutputHeight);
            _preprocessor.RunBytes(photo, fresh.Pixels);
            _canvas.Put(fresh);
        }

        foreach (var step in _steps)
            step.Apply(_canvas, ref random);
        var picture = _canvas.Picture;
        // A RandomResizedCrop may have a size of its own.
        if (picture.Width != _preprocessor.OutputWidth || picture.Height != _preprocessor.OutputHeight)
            Throw.Usage(
                $"the augmentations give {picture.Width} x {picture.Height} pixels; the network takes {_preprocessor.OutputWidth} x "
                    + $"{_preprocessor.OutputHeight}"
            );
        return room == picture.Pixels.Length
            ? picture
            : throw new ArgumentException($"room for {room} values; a view needs {picture.Pixels.Length}");
    }
}
