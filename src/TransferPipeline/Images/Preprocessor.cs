namespace TransferPipeline.Images;

/// <summary>
/// Turns decoded photos into a network's input, bit for bit as torchvision's Resize, CenterCrop, ToTensor and Normalize do on
/// PIL images, computing only what the crop keeps. Owns its scratch memory: one per worker, not thread-safe.
/// </summary>
internal sealed class Preprocessor : IPhotoRegion
{
    private readonly Preprocessing _preprocessing;
    private readonly PixelValues _values;
    private readonly Resampler _resampler;

    /// <exception cref="UsageException">Sizes below 0, both forms of resize at once, not three means and deviations, a deviation of
    /// 0.</exception>
    public Preprocessor(Preprocessing preprocessing)
        : this(preprocessing, ResampleKernel.Create()) { }

    internal Preprocessor(Preprocessing preprocessing, ResampleKernel kernel)
    {
        Validate(preprocessing);
        _preprocessing = preprocessing;
        _values = new PixelValues(preprocessing);
        _resampler = new Resampler(kernel);
    }

    /// <summary>Width of every result; 0 when it depends on the photo (neither a crop nor a fixed resize).</summary>
    public int OutputWidth => _preprocessing.OutputWidth;

    /// <summary>Height of every result; 0 when it depends on the photo.</summary>
    public int OutputHeight => _preprocessing.OutputHeight;

    /// <summary>Size of the result for a photo of this size.</summary>
    /// <exception cref="ImageDecodeException">The photo is so narrow that its resized long side exceeds Pillow's limit.</exception>
    public (int Width, int Height) OutputSize(int width, int height)
    {
        var (resizedWidth, resizedHeight) = ResizedSize(width, height);
        return (
            _preprocessing.CropWidth > 0 ? _preprocessing.CropWidth : resizedWidth,
            _preprocessing.CropHeight > 0 ? _preprocessing.CropHeight : resizedHeight
        );
    }

    /// <summary>The pixels that <see cref="Run"/> and <see cref="RunBytes"/> read, the resize filter's reach included.</summary>
    public PixelBox Region(int width, int height)
    {
        var whole = new PixelBox(0, 0, width, height);
        try
        {
            var plan = Plan(width, height);
            return _resampler.Reads(whole, plan.ResizedWidth, plan.ResizedHeight, plan.Keep, _preprocessing.Interpolation);
        }
        catch (ImageDecodeException)
        {
            return whole; // such a photo cannot be resized, which Run reports after the decoder has had its say
        }
    }

    /// <summary>Writes the normalized photo: 3 x height x width (NCHW) or height x width x 3 (NHWC) values.</summary>
    public unsafe void Run(RgbImage source, Span<float> destination, TensorLayout layout = TensorLayout.Nchw)
    {
        var plan = Plan(source.Width, source.Height, destination.Length);
        fixed (float* values = destination)
        {
            // The photo's rows overwrite all but the padding.
            if (plan.IsPadded)
                FillBlack(values, plan, layout);
            var sink = new FloatRowSink(values, _values, layout, plan.Width, plan.Height, plan.Left, plan.Top);
            _resampler.Run(
                source,
                new PixelBox(0, 0, source.Width, source.Height),
                plan.ResizedWidth,
                plan.ResizedHeight,
                plan.Keep,
                _preprocessing.Interpolation,
                ref sink
            );
        }
    }

    /// <summary>Writes the pixels as they are before normalization: height x width x 3 bytes, R G B whatever the network's order.</summary>
    public void RunBytes(RgbImage source, Span<byte> destination)
    {
        var plan = Plan(source.Width, source.Height, destination.Length);
        if (plan.IsPadded)
            destination.Clear();
        var sink = new ByteRowSink(destination, plan.Width, plan.Left, plan.Top);
        _resampler.Run(
            source,
            new PixelBox(0, 0, source.Width, source.Height),
            plan.ResizedWidth,
            plan.ResizedHeight,
            plan.Keep,
            _preprocessing.Interpolation,
            ref sink
        );
    }

    /// <summary>Padding is black before normalization, as torchvision pads PIL images.</summary>
    private unsafe void FillBlack(float* values, in CropPlan plan, TensorLayout layout)
    {
        Span<byte> black = stackalloc byte[3];
        var pixels = (nint)plan.Width * plan.Height;
        for (nint i = 0; i < pixels; i++)
        {
            if (layout == TensorLayout.Nchw)
                _values.ToPlanes(black, values + i, pixels);
            else
                _values.ToPixels(black, values + i * 3);
        }
    }

    private CropPlan Plan(int width, int height, int room)
    {
        var plan = Plan(width, height);
        return room == (long)plan.Width * plan.Height * 3
            ? plan
            : throw new ArgumentException($"room for {room} values; the photo needs {plan.Height} x {plan.Width} x 3");
    }

    private CropPlan Plan(int width, int height)
    {
        var (resizedWidth, resizedHeight) = ResizedSize(width, height);
        return new CropPlan(
            resizedWidth,
            resizedHeight,
            CropSpan.Centre(resizedWidth, _preprocessing.CropWidth, _preprocessing.CropRoundsDown),
            CropSpan.Centre(resizedHeight, _preprocessing.CropHeight, _preprocessing.CropRoundsDown)
        );
    }

    private (int Width, int Height) ResizedSize(int width, int height)
    {
        if (_preprocessing.ResizeWidth > 0)
            return (_preprocessing.ResizeWidth, _preprocessing.ResizeHeight);
        var side = _preprocessing.ResizeShortSide;
        // torchvision leaves a photo alone whose short side has the size.
        if (side == 0 || Math.Min(width, height) == side)
            return (width, height);
        // torchvision's int(size * long / short): truncated, and divided in float64 as Python does.
        var longSide = (double)((long)side * Math.Max(width, height)) / Math.Min(width, height);
        if (longSide > int.MaxValue)
            throw new ImageDecodeException($"{width} x {height} pixels are too narrow to resize to a short side of {side}");
        return width <= height ? (side, (int)longSide) : ((int)longSide, side);
    }

    private static void Validate(Preprocessing p)
    {
        if (p.ResizeShortSide < 0 || p.ResizeWidth < 0 || p.ResizeHeight < 0 || p.CropWidth < 0 || p.CropHeight < 0)
            Throw.Usage("preprocessing: a size below 0");
        if (p.ResizeWidth > 0 != p.ResizeHeight > 0 || p.CropWidth > 0 != p.CropHeight > 0)
            Throw.Usage("preprocessing: a width without a height, or a height without a width");
        if (p.ResizeShortSide > 0 && p.ResizeWidth > 0)
            Throw.Usage("preprocessing: give either the short side or width and height to resize to, not both");
        if (p.Divisor == 0 && (p.Mean.Count != 3 || p.Std.Count != 3))
            Throw.Usage($"preprocessing: {p.Mean.Count} means and {p.Std.Count} deviations; expected 3 of each, for R, G and B");
        if (p.Divisor == 0 && p.Std.Contains(0))
            Throw.Usage("preprocessing: a deviation of 0");
    }
}
