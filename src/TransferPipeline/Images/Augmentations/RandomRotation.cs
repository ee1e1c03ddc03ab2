using System.Globalization;

namespace TransferPipeline.Images.Augmentations;

/// <summary>
/// Turns the photo about its centre by a random angle, counter-clockwise; the size stays, what enters from outside is <see cref="Fill"/>.
/// </summary>
internal sealed record RandomRotation : Augmentation
{
    /// <summary>Angles in degrees; torchvision reads one number d as -d..d.</summary>
    public required ValueRange Degrees { get; init; }

    /// <summary>Nearest (torchvision's default) or Bilinear.</summary>
    public Interpolation Interpolation { get; init; } = Interpolation.Nearest;

    /// <summary>Level of R, G and B outside the photo.</summary>
    public byte Fill { get; init; }

    public override string ToString() => $"RandomRotation(degrees={Degrees}, interpolation={Interpolation}, fill={Fill})";

    internal override void Validate()
    {
        Degrees.Check("RandomRotation's degrees", -360_000, 360_000);
        if (Interpolation is not (Interpolation.Nearest or Interpolation.Bilinear))
            Throw.Usage($"RandomRotation's interpolation is {Interpolation}; expected Nearest or Bilinear");
    }

    internal override void Apply(AugmentationCanvas canvas, ref RandomStream random) => Rotate(canvas, Degrees.Draw(ref random));

    /// <summary>PIL's Image.rotate: quarter turns are exact, other angles map each output pixel's centre back into the photo.</summary>
    internal void Rotate(AugmentationCanvas canvas, double degrees)
    {
        var picture = canvas.Picture;
        var angle = degrees % 360.0;
        // The remainder of C# has the sign of the angle; Python's is never negative.
        if (angle < 0)
            angle += 360.0;
        if (angle == 0)
            return;
        var fresh = canvas.Fresh(picture.Width, picture.Height);
        // A quarter turn keeps the size of a square alone; Pillow then maps other photos like any angle.
        if (angle == 180 || (angle is 90 or 270 && picture.Width == picture.Height))
            QuarterTurns((int)angle / 90, picture, fresh);
        else if (Interpolation == Interpolation.Nearest)
            Matrix(angle, picture.Width, picture.Height).Nearest(picture, fresh, Fill);
        else
            Matrix(angle, picture.Width, picture.Height).Bilinear(picture, fresh, Fill);
        canvas.Put(fresh);
    }

    private static AffineMap Matrix(double angle, int width, int height)
    {
        var radians = -(angle * (Math.PI / 180.0));
        var (cosine, sine) = (Round15(Math.Cos(radians)), Round15(Math.Sin(radians)));
        var (centreX, centreY) = (width / 2.0, height / 2.0);
        // Terms and their order are those of Image.rotate, so that they round alike.
        return new AffineMap(
            cosine,
            sine,
            cosine * -centreX + sine * -centreY + 0.0 + centreX,
            -sine,
            cosine,
            -sine * -centreX + cosine * -centreY + 0.0 + centreY
        );
    }

    /// <summary>Python's round(x, 15): correct decimal rounding, which Math.Round's scaling is not.</summary>
    private static double Round15(double value) =>
        double.Parse(value.ToString("F15", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static void QuarterTurns(int turns, RgbImage from, RgbImage to)
    {
        for (var y = 0; y < to.Height; y++)
        {
            var row = to.Row(y);
            for (var x = 0; x < to.Width; x++)
            {
                var (fromX, fromY) = turns switch
                {
                    1 => (from.Width - 1 - y, x),
                    2 => (from.Width - 1 - x, from.Height - 1 - y),
                    _ => (y, from.Height - 1 - x),
                };
                from.Row(fromY).Slice(fromX * 3, 3).CopyTo(row[(x * 3)..]);
            }
        }
    }
}
