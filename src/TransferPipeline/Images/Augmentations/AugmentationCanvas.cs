namespace TransferPipeline.Images.Augmentations;

/// <summary>The picture that augmentations change in turn: two buffers, and the photo itself, which stays as it is.</summary>
internal sealed class AugmentationCanvas(Resampler resampler, int outputWidth, int outputHeight)
{
    private RgbImage _current = new();
    private RgbImage _spare = new();
    private RgbImage _photo = new();

    /// <summary>The network's input size, which crops take when they name none.</summary>
    public (int Width, int Height) Output => (outputWidth, outputHeight);

    /// <summary>The picture so far; read only.</summary>
    public RgbImage Picture => _photo;

    public void Start(RgbImage photo) => _photo = photo;

    /// <summary>A picture of this size to be written, and then given to <see cref="Put"/>.</summary>
    public RgbImage Fresh(int width, int height)
    {
        _spare.Resize(width, height);
        return _spare;
    }

    /// <summary>Makes what <see cref="Fresh"/> gave the picture.</summary>
    public void Put(RgbImage fresh)
    {
        // The decoded photo is neither of the two buffers, so that the next view finds it unchanged.
        (_current, _spare) = (fresh, _current);
        _photo = _current;
    }

    /// <summary>Replaces the picture by a part of it, resized as PIL's crop and resize do.</summary>
    public void CropAndResize(PixelBox box, int width, int height, Interpolation interpolation)
    {
        var fresh = Fresh(width, height);
        var sink = new ByteRowSink(fresh.Pixels, width, 0, 0);
        resampler.Run(Picture, box, width, height, new PixelBox(0, 0, width, height), interpolation, ref sink);
        Put(fresh);
    }
}
