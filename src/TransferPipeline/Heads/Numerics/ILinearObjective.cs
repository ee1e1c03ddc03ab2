namespace TransferPipeline.Heads.Numerics;

/// <summary>
/// An objective of linear outputs, as the solver sees it. Parameters are rows, one per output: weights, the bias, zeros up to
/// <see cref="Stride"/>.
/// </summary>
internal unsafe interface ILinearObjective
{
    /// <summary>Distance between parameter rows, a multiple of 16.</summary>
    int Stride { get; }

    /// <summary>True when each output is a problem of its own.</summary>
    bool Separable { get; }

    /// <summary>True when a bias is not penalized: the objective need not be strongly convex in it.</summary>
    bool FreeBias { get; }

    /// <summary>Class of each output.</summary>
    ReadOnlySpan<int> Classes { get; }

    /// <summary>Passes over the rows so far; two halves (outputs of a direction, the gradient) are one.</summary>
    int Passes { get; }

    /// <summary>Share of the first slope that may be left where a step ends: small where trying another length costs no pass.</summary>
    double SlopeShare { get; }

    /// <summary>Chooses the outputs (by class) that the parameter rows stand for.</summary>
    void Select(ReadOnlySpan<int> classes);

    /// <summary>Keeps some of the outputs, by their positions in rising order.</summary>
    void Keep(ReadOnlySpan<int> outputs);

    /// <summary>Objective (one value, or one per output when separable) and gradient at w.</summary>
    void Evaluate(float* w, float* gradient, Span<double> values);

    /// <summary>Prepares the way from w, the point of the last gradient, along a direction.</summary>
    void SetDirection(float* w, float* direction);

    /// <summary>Objective and slope at w + lengths * direction, for each group of outputs.</summary>
    void EvaluateAt(ReadOnlySpan<double> lengths, Span<double> values, Span<double> slopes);

    /// <summary>Gradient at the point that the last <see cref="EvaluateAt"/> saw.</summary>
    /// <param name="w">That point.</param>
    void MoveTo(float* w, float* gradient);
}
