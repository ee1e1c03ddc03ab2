using TransferPipeline.Heads.Common;

namespace TransferPipeline.Heads.Linear;

/// <summary>Options that linear heads share, with scikit-learn's names.</summary>
internal static class LinearOptions
{
    /// <summary>C and its products with losses stay float32 numbers.</summary>
    public static HeadOption C(double value) =>
        new("C", HeadOptionKind.Number, FormattableString.Invariant($"{value}"), "Weight of the losses against the penalty; scikit-learn's and LIBLINEAR's C.")
        {
            Minimum = 1e-20,
            Maximum = 1e20,
        };

    public static HeadOption Scaling { get; } =
        new("scaling", HeadOptionKind.Choice, "none", "What is done to vectors first: nothing, StandardScaler, or division by their length.") { Choices = ["none", "standard", "l2"] };

    public static HeadOption FitIntercept { get; } = new("fit_intercept", HeadOptionKind.Flag, "true", "Whether scores have a constant term.");

    public static HeadOption Tolerance { get; } =
        new("tol", HeadOptionKind.Number, "1E-08", "Relative gap to the optimal objective at which the solver stops.") { Minimum = 1e-12, Maximum = 0.1 };

    public static HeadOption MaxIterations { get; } =
        new("max_iter", HeadOptionKind.Integer, "1000", "Most iterations.") { Minimum = 1 };
}
