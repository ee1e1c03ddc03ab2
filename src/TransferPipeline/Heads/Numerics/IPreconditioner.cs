namespace TransferPipeline.Heads.Numerics;

/// <summary>An approximate inverse of the objective's Hessian.</summary>
internal unsafe interface IPreconditioner
{
    /// <summary>False while there is none: the identity then takes its place.</summary>
    bool Ready { get; }

    /// <summary>Whether the inverse is right in size; otherwise the last step scales it, for one more <see cref="Apply"/>.</summary>
    bool IsScaled { get; }

    /// <summary>Called before each step at the point of the last gradient; brings the approximation up to date where that pays.</summary>
    void Update(ILinearObjective objective, float* w);

    /// <summary>Called where a solve would end: there should be one by then.</summary>
    void Require(ILinearObjective objective);

    /// <summary>to = M^-1 from, for <paramref name="outputs"/> parameter rows.</summary>
    void Apply(float* from, float* to, int outputs);
}
