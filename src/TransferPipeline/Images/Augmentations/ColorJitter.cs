namespace TransferPipeline.Images.Augmentations;

/// <summary>
/// Changes brightness, contrast, saturation and hue by random amounts, in random order, as torchvision does on PIL images.
/// </summary>
internal sealed record ColorJitter : Augmentation
{
    private const int Brightening = 0,
        Contrasting = 1,
        Saturating = 2,
        Turning = 3;

    /// <summary>
    /// Factors; 1..1 leaves the photo as it is. torchvision reads one number b as max(0, 1 - b)..1 + b (<see cref="Factor"/>).
    /// </summary>
    public ValueRange Brightness { get; init; } = new(1, 1);

    public ValueRange Contrast { get; init; } = new(1, 1);

    public ValueRange Saturation { get; init; } = new(1, 1);

    /// <summary>Turns of the colour circle, from -0.5 to 0.5.</summary>
    public ValueRange Hue { get; init; } = new(0, 0);

    /// <summary>The factors that torchvision takes for one number.</summary>
    public static ValueRange Factor(double amount) => new(Math.Max(0, 1 - amount), 1 + amount);

    public override string ToString() => $"ColorJitter(brightness={Brightness}, contrast={Contrast}, saturation={Saturation}, hue={Hue})";

    internal override void Validate()
    {
        Brightness.Check("ColorJitter's brightness", 0, double.MaxValue);
        Contrast.Check("ColorJitter's contrast", 0, double.MaxValue);
        Saturation.Check("ColorJitter's saturation", 0, double.MaxValue);
        Hue.Check("ColorJitter's hue", -0.5, 0.5);
    }

    internal override void Apply(AugmentationCanvas canvas, ref RandomStream random)
    {
        Span<int> order = [Brightening, Contrasting, Saturating, Turning];
        for (var i = order.Length - 1; i > 0; i--)
        {
            var other = random.Below(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }

        // Drawn before the changes are made, so that their random order does not decide which number each gets.
        var (brightness, contrast) = (Brightness.Draw(ref random), Contrast.Draw(ref random));
        var (saturation, hue) = (Saturation.Draw(ref random), Hue.Draw(ref random));
        var fresh = canvas.Fresh(canvas.Picture.Width, canvas.Picture.Height);
        // The changes work in place, and the picture may be the decoded photo.
        canvas.Picture.Pixels.CopyTo(fresh.Pixels);
        foreach (var change in order)
        {
            // A neutral change is left out, as in torchvision: 8-bit HSV and back alone would change colors.
            if (change == Brightening && Brightness != new ValueRange(1, 1))
                ColorChanges.Brightness(fresh.Pixels, (float)brightness);
            else if (change == Contrasting && Contrast != new ValueRange(1, 1))
                ColorChanges.Contrast(fresh.Pixels, (float)contrast);
            else if (change == Saturating && Saturation != new ValueRange(1, 1))
                ColorChanges.Saturation(fresh.Pixels, (float)saturation);
            else if (change == Turning && Hue != new ValueRange(0, 0))
                ColorChanges.Hue(fresh.Pixels, hue);
        }

        canvas.Put(fresh);
    }
}
