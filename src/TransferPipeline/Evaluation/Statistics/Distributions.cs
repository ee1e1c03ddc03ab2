namespace TransferPipeline.Evaluation;

/// <summary>The few distribution functions that the intervals and tests need, to about 1e-12.</summary>
internal static class Distributions
{
    /// <summary>97.5 % point of the standard normal distribution: half the width of a 95 % interval.</summary>
    public const double Normal975 = 1.959963984540054;

    /// <summary>P(|T| >= |t|) of Student's t with the given degrees of freedom.</summary>
    public static double StudentTwoSided(double t, double degrees) =>
        double.IsInfinity(t) ? 0 : IncompleteBeta(degrees / 2, 0.5, degrees / (degrees + (t * t)));

    /// <summary>The t with P(|T| >= t) = <paramref name="p"/>: 12.7062 for p = 0.05 and one degree of freedom.</summary>
    public static double StudentQuantile(double p, double degrees)
    {
        var (low, high) = (0.0, 1.0);
        // Few degrees of freedom have long tails: 12.7 for one degree, so the upper end is searched first.
        while (StudentTwoSided(high, degrees) > p)
            high *= 2;
        for (var i = 0; i < 200 && high - low > 1e-14 * high; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = StudentTwoSided(middle, degrees) > p ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }

    /// <summary>P(X &lt;= k) for X binomial with n fair trials.</summary>
    public static double FairBinomialAtMost(int k, int n) =>
        k < 0 ? 0
        : k >= n ? 1
        : IncompleteBeta(n - k, k + 1.0, 0.5);

    /// <summary>Regularized incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22) with Lentz's method.</summary>
    public static double IncompleteBeta(double a, double b, double x)
    {
        if (x <= 0)
            return 0;
        if (x >= 1)
            return 1;
        // The fraction converges fast below this point alone (DLMF 8.17.22); above it the symmetric function is used.
        if (x > (a + 1) / (a + b + 2))
            return 1 - IncompleteBeta(b, a, 1 - x);
        const double Tiny = 1e-300;
        // Lentz's method evaluates the fraction from the front; Tiny stands for a denominator of 0.
        var (c, d) = (1.0, 1 - ((a + b) * x / (a + 1)));
        d = 1 / (Math.Abs(d) < Tiny ? Tiny : d);
        var fraction = d;
        for (var m = 1; m < 100_000; m++)
        {
            var even = m * (b - m) * x / ((a + (2 * m) - 1) * (a + (2 * m)));
            var odd = -(a + m) * (a + b + m) * x / ((a + (2 * m)) * (a + (2 * m) + 1));
            var step = 1.0;
            foreach (var coefficient in (ReadOnlySpan<double>)[even, odd])
            {
                d = 1 + (coefficient * d);
                c = 1 + (coefficient / c);
                d = 1 / (Math.Abs(d) < Tiny ? Tiny : d);
                c = Math.Abs(c) < Tiny ? Tiny : c;
                step = c * d;
                fraction *= step;
            }

            if (Math.Abs(step - 1) < 1e-15)
                break;
        }

        // By logarithms: the powers alone underflow where there are thousands of photos.
        var logFront = LogGamma(a + b) - LogGamma(a) - LogGamma(b) + (a * Math.Log(x)) + (b * Math.Log(1 - x)) - Math.Log(a);
        return Math.Exp(logFront) * fraction;
    }

    /// <summary>ln Gamma(x) for x > 0: Stirling's series (DLMF 5.11.1) after shifting x to at least 12.</summary>
    public static double LogGamma(double x)
    {
        var shift = 0.0;
        for (; x < 12; x++)
            shift -= Math.Log(x);
        var inverse = 1 / (x * x);
        var series =
            (1.0 / 12)
            + (
                inverse
                * (
                    (-1.0 / 360)
                    + (inverse * ((1.0 / 1260) + (inverse * ((-1.0 / 1680) + (inverse * ((1.0 / 1188) - (inverse * 691.0 / 360360)))))))
                )
            );
        return shift + ((x - 0.5) * Math.Log(x)) - x + (0.5 * Math.Log(2 * Math.PI)) + (series / x);
    }
}
