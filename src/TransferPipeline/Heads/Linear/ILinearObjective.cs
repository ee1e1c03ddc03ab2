namespace TransferPipeline.Heads.Linear;

/// <summary>An objective of linear outputs, as the solver sees it. Parameters are rows, one an output: weights, the bias, zeros up to <see cref="Stride"/>.</summary>
internal unsafe interface ILinearObjective
{
    /// <summary>Distance between parameter rows, a multiple of 16.</summary>
    int Stride { get; }

    /// <summary>True when each output is a problem of its own.</summary>
    bool Separable { get; }

    /// <summary>Passes over the rows so far.</summary>
    int Passes { get; }

    /// <summary>Chooses the outputs (by class) that the parameter rows stand for.</summary>
    void Select(ReadOnlySpan<int> classes);

    /// <summary>Objective (one value, or one an output when separable) and gradient at w.</summary>
    void Evaluate(float* w, float* gradient, Span<double> values);

    /// <summary>Product of the Hessian, at the point of the last <see cref="Evaluate"/>, with v.</summary>
    void HessianTimes(float* v, float* product);
}
