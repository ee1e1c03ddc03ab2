using System.Globalization;

namespace TransferPipeline.Images.Augmentations;

/// <summary>Swaps left and right with a probability.</summary>
internal sealed record RandomHorizontalFlip : Augmentation
{
    public double Probability { get; init; } = 0.5;

    public override string ToString() => $"RandomHorizontalFlip(p={Probability.ToString(CultureInfo.InvariantCulture)})";

    internal override void Validate()
    {
        // Negated, so that NaN is refused too.
        if (!(Probability is >= 0 and <= 1))
            Throw.Usage($"RandomHorizontalFlip's p is {Probability}; expected 0 to 1");
    }

    internal override void Apply(AugmentationCanvas canvas, ref RandomStream random)
    {
        if (random.Unit() < Probability)
            Flip(canvas);
    }

    internal static void Flip(AugmentationCanvas canvas)
    {
        var picture = canvas.Picture;
        var fresh = canvas.Fresh(picture.Width, picture.Height);
        for (var y = 0; y < picture.Height; y++)
        {
            var from = picture.Row(y);
            var to = fresh.Row(y);
            for (int f = 0, t = to.Length - 3; t >= 0; f += 3, t -= 3)
                (to[t], to[t + 1], to[t + 2]) = (from[f], from[f + 1], from[f + 2]);
        }

        canvas.Put(fresh);
    }
}
