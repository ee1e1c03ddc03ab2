namespace TransferPipeline.Images;

/// <summary>A reconstruction filter: its weight at a distance in (stretched) pixels, and where it ends.</summary>
internal abstract class ResampleFilter(double support)
{
    /// <summary>Distance beyond which the weight is 0.</summary>
    public double Support { get; } = support;

    public abstract double Weight(double x);

    public static ResampleFilter Of(Interpolation interpolation) =>
        interpolation switch
        {
            Interpolation.Bilinear => new Triangle(),
            Interpolation.Bicubic => new Cubic(),
            Interpolation.Lanczos => new WindowedSinc(),
            _ => throw new UsageException($"no filter for interpolation {interpolation}"),
        };

    private sealed class Triangle() : ResampleFilter(1)
    {
        public override double Weight(double x)
        {
            x = Math.Abs(x);
            return x < 1.0 ? 1.0 - x : 0.0;
        }
    }

    /// <summary>Keys' cubic convolution with a = -0.5, the value that Pillow takes (OpenCV and torch tensors take -0.75).</summary>
    private sealed class Cubic() : ResampleFilter(2)
    {
        private const double A = -0.5;

        public override double Weight(double x)
        {
            x = Math.Abs(x);
            // Terms as in Pillow's bicubic_filter; another form of the polynomial rounds differently.
            if (x < 1.0)
                return ((A + 2.0) * x - (A + 3.0)) * x * x + 1;
            return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * A : 0.0;
        }
    }

    /// <summary>Lanczos with three lobes.</summary>
    private sealed class WindowedSinc() : ResampleFilter(3)
    {
        // Half open, as Pillow's lanczos_filter.
        public override double Weight(double x) => x is >= -3.0 and < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0;

        private static double Sinc(double x)
        {
            if (x == 0.0)
                return 1.0;
            x *= Math.PI;
            return Math.Sin(x) / x;
        }
    }
}
