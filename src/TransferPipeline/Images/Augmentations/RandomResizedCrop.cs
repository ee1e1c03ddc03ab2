namespace TransferPipeline.Images.Augmentations;

/// <summary>A random part of the photo, of random area and aspect, resized to a fixed size. Replaces Resize and CenterCrop.</summary>
internal sealed record RandomResizedCrop : Augmentation
{
    private const int Attempts = 10;

    /// <summary>0, the default, takes the network's input width.</summary>
    public int Width { get; init; }

    public int Height { get; init; }

    /// <summary>Share of the photo's area that the part has.</summary>
    public ValueRange Scale { get; init; } = new(0.08, 1);

    /// <summary>Width / height of the part; drawn uniformly on a logarithmic scale.</summary>
    public ValueRange Ratio { get; init; } = new(3.0 / 4, 4.0 / 3);

    public Interpolation Interpolation { get; init; } = Interpolation.Bilinear;

    public override string ToString() =>
        $"RandomResizedCrop(size={Width}x{Height}, scale={Scale}, ratio={Ratio}, interpolation={Interpolation})";

    internal override void Validate()
    {
        Scale.Check("RandomResizedCrop's scale", 0, double.MaxValue);
        Ratio.Check("RandomResizedCrop's ratio", double.Epsilon, double.MaxValue);
        if (Width < 0 || Height < 0 || Width > 0 != Height > 0)
            Throw.Usage($"RandomResizedCrop's size is {Width} x {Height}; give both sides, or neither for the network's size");
    }

    internal override void Apply(AugmentationCanvas canvas, ref RandomStream random)
    {
        var box = Draw(canvas.Picture.Width, canvas.Picture.Height, ref random);
        var (width, height) = Width > 0 ? (Width, Height) : canvas.Output;
        canvas.CropAndResize(box, width, height, Interpolation);
    }

    /// <summary>torchvision's search: ten draws of area and aspect, then the largest centred part of an allowed aspect.</summary>
    internal PixelBox Draw(int width, int height, ref RandomStream random)
    {
        var logRatio = new ValueRange(Math.Log(Ratio.From), Math.Log(Ratio.To));
        for (var i = 0; i < Attempts; i++)
        {
            var area = (double)width * height * Scale.Draw(ref random);
            var aspect = Math.Exp(logRatio.Draw(ref random));
            // Math.Round takes half to even, as Python's round does.
            var w = (int)Math.Round(Math.Sqrt(area * aspect));
            var h = (int)Math.Round(Math.Sqrt(area / aspect));
            if (w > 0 && w <= width && h > 0 && h <= height)
            {
                // The row before the column, as torchvision draws them.
                var y = random.Below(height - h + 1);
                var x = random.Below(width - w + 1);
                return new PixelBox(x, y, w, h);
            }
        }

        var (partWidth, partHeight) = (width, height);
        var shape = (double)width / height;
        if (shape < Ratio.From)
            // An extreme shape would leave no pixel.
            partHeight = Math.Max(1, (int)Math.Round(width / Ratio.From));
        else if (shape > Ratio.To)
            partWidth = Math.Max(1, (int)Math.Round(height * Ratio.To));
        return new PixelBox((width - partWidth) / 2, (height - partHeight) / 2, partWidth, partHeight);
    }
}
