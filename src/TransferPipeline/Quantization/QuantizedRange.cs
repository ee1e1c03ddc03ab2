namespace TransferPipeline.Quantization;

/// <summary>Real values of the 256 levels of a uint8 tensor; 0 is always one of them.</summary>
/// <param name="Scale">Distance of two levels.</param>
/// <param name="ZeroPoint">The level of 0.</param>
internal readonly record struct QuantizedRange(float Scale, byte ZeroPoint)
{
    public const int Levels = 255;

    public double Low => -(double)Scale * ZeroPoint;

    public double High => (double)Scale * (Levels - ZeroPoint);

    /// <summary>The levels that cover [low, high] and 0.</summary>
    public static QuantizedRange Of(double low, double high)
    {
        // 0 is always a level: padding and Relu give exact zeros, which must stay zeros.
        (low, high) = (Math.Min(low, 0), Math.Max(high, 0));
        // A tensor that is always 0 gets any scale: its products are 0.
        var scale = (float)((high - low) / Levels);
        // Negated, so that NaN takes this branch too.
        if (!(scale >= float.MinValue && scale > 1e-30f))
            return new(1f, 0);
        return new(scale, (byte)Math.Clamp(Math.Round(-low / scale), 0, Levels));
    }
}
