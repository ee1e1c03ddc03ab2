using System.Globalization;

namespace TransferPipeline.Images.Augmentations;

/// <summary>Where a random parameter is drawn from, uniformly.</summary>
internal readonly record struct ValueRange(double From, double To)
{
    /// <summary>torchvision's reading of one number: centre less and plus it.</summary>
    public static ValueRange Around(double centre, double amount) => new(centre - amount, centre + amount);

    internal double Draw(ref RandomStream random) => From + (To - From) * random.Unit();

    internal void Check(string name, double least, double most)
    {
        // Negated, so that NaN is refused too.
        if (!(From >= least && From <= To && To <= most))
            Throw.Usage($"{name} is {this}; expected two rising values from {Text(least)} to {Text(most)}");
    }

    public override string ToString() => $"{Text(From)}..{Text(To)}";

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
