using System.Globalization;
using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads;

/// <summary>
/// How far <see cref="Lda"/>'s covariance is moved towards its mean variance: a share, or Ledoit and Wolf's estimate of it.
/// </summary>
public readonly record struct Shrinkage : IOptionValue<Shrinkage>
{
    private Shrinkage(double share) => Share = share;

    /// <summary>Ledoit and Wolf's estimate for each class (2004); the default.</summary>
    public static Shrinkage Auto => default;

    /// <summary>The share, 0 to 1; null where it is estimated.</summary>
    public double? Share { get; }

    static string IOptionValue<Shrinkage>.Expected => "auto or a number from 0 to 1";

    static IReadOnlyList<string> IOptionValue<Shrinkage>.Words => ["auto"];

    /// <summary>A share from 0 to 1.</summary>
    /// <exception cref="UsageException">It is not.</exception>
    public static implicit operator Shrinkage(double share) =>
        share is >= 0 and <= 1
            ? new(share)
            : throw new UsageException(FormattableString.Invariant($"shrinkage is {share}, expected a number from 0 to 1"));

    static bool IOptionValue<Shrinkage>.TryParse(string text, out Shrinkage value)
    {
        var isShare = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share is >= 0 and <= 1;
        value = isShare ? new(share) : Auto;
        return isShare || text == "auto";
    }

    /// <summary><c>auto</c> or the share.</summary>
    public override string ToString() => Share?.ToString("R", CultureInfo.InvariantCulture) ?? "auto";
}
