using System.Globalization;

namespace TransferPipeline.Backbones;

/// <summary>What turns the tensor at the cut into a vector.</summary>
public enum PoolingKind
{
    /// <summary>Flattened as it is.</summary>
    None,

    /// <summary>Mean over height and width (or over tokens).</summary>
    Avg,

    /// <summary>Maximum over height and width (or over tokens).</summary>
    Max,

    /// <summary>torch.nn.AdaptiveAvgPool2d to Height x Width, then flattened channel by channel.</summary>
    Adaptive,

    /// <summary>The class token: the first one, or a single one behind those of the patches.</summary>
    Cls,

    /// <summary>Mean over the tokens of the patches, without class token and registers.</summary>
    Mean,

    /// <summary>The class token followed by the mean of the patches: DINOv2's feature for linear classifiers.</summary>
    ClsMean,
}

/// <summary>
/// A pooling with its parameters; text forms <c>none</c>, <c>avg</c>, <c>max</c>, <c>adaptive:3x3</c>, and for tokens <c>cls</c>,
/// <c>mean</c>, <c>cls+mean</c>.
/// </summary>
public readonly record struct Pooling(PoolingKind Kind, int Height = 0, int Width = 0)
{
    /// <summary>The tensor as it is, flattened.</summary>
    public static Pooling None => new(PoolingKind.None);

    /// <exception cref="UsageException">The text is none of the forms.</exception>
    public static Pooling Parse(string text)
    {
        switch (text)
        {
            case "none":
                return None;
            case "avg":
                return new(PoolingKind.Avg);
            case "max":
                return new(PoolingKind.Max);
            case "cls":
                return new(PoolingKind.Cls);
            case "mean":
                return new(PoolingKind.Mean);
            case "cls+mean":
                return new(PoolingKind.ClsMean);
        }

        var size = text.StartsWith("adaptive:", StringComparison.Ordinal) ? text[9..].Split('x') : [];
        if (
            size.Length == 2
            && int.TryParse(size[0], NumberStyles.None, CultureInfo.InvariantCulture, out var height)
            && height > 0
            && int.TryParse(size[1], NumberStyles.None, CultureInfo.InvariantCulture, out var width)
            && width > 0
        )
            return new(PoolingKind.Adaptive, height, width);
        throw new UsageException(
            $"pooling '{text}' is not one of none, avg, max, adaptive:HxW (adaptive:3x3), and for tokens cls, mean, cls+mean"
        );
    }

    /// <summary>As recipes and commands write it, which <see cref="Parse"/> reads.</summary>
    public override string ToString() =>
        Kind switch
        {
            PoolingKind.Adaptive => $"adaptive:{Height}x{Width}",
            PoolingKind.ClsMean => "cls+mean",
            _ => Kind.ToString().ToLowerInvariant(),
        };
}
